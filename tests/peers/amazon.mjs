// Independent clients, amazon-sp-api and sns-validator from npm, against the sandbox's Amazon.
//
//   npm install && node amazon.mjs
//
// Needs the variables `sluice sandbox --print-env` prints (SPIN_VARIABLE_AMAZON_*), and the admin address in
// SANDBOX_ADMIN. Exits non-zero at the first thing that is not as it should be.
//
// Both clients insist on Amazon's own hosts over TLS. They keep them: only the connection under a request goes
// to the sandbox instead.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";
import net from "node:net";

const require = createRequire(import.meta.url);
const SellingPartner = require("amazon-sp-api");
const SnsValidator = require("sns-validator");

function setting(name) {
  const value = process.env[`SPIN_VARIABLE_AMAZON_${name}`];
  assert.ok(value, `SPIN_VARIABLE_AMAZON_${name} is not set`);
  return value;
}

const sandbox = new URL(setting("URL_NA"));

class ToSandbox extends https.Agent {
  createConnection() {
    return net.connect(Number(sandbox.port), sandbox.hostname);
  }
}
https.globalAgent = new ToSandbox();

async function admin(method, path, body) {
  const reply = await fetch(`${process.env.SANDBOX_ADMIN}/${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${await reply.clone().text()}`);
  return reply.status === 204 ? null : reply.json();
}

const set = (name, value) => admin("PUT", `amazon/${name}`, value);
const travel = (seconds) => admin("POST", "clock", { advance_s: seconds });

function client(region, options = {}) {
  return new SellingPartner({
    region,
    refresh_token: setting(`REFRESH_TOKEN_${region.toUpperCase()}`),
    credentials: {
      SELLING_PARTNER_APP_CLIENT_ID: setting("CLIENT_ID"),
      SELLING_PARTNER_APP_CLIENT_SECRET: setting("CLIENT_SECRET"),
    },
    options: { https_proxy_agent: https.globalAgent, ...options },
  });
}

function ok(what) {
  console.log(`ok ${what}`);
}

async function refused(promise) {
  return promise.then(
    () => assert.fail("the request was let through"),
    (error) => error,
  );
}

const YEN = "A1VC38T7YXB528";
const since = new Date(Date.now() - 90 * 86_400_000).toISOString();

function search(partner, query) {
  return partner.callAPI({
    operation: "orders.searchOrders",
    query: { createdAfter: since, includedData: ["PROCEEDS", "FULFILLMENT"], ...query },
    options: { version: "2026-01-01" },
  });
}

// Every page. Each answer that is no last page names the next.
async function list(partner, query) {
  const orders = [];
  let paginationToken;
  for (let page = 0; page < 50; page += 1) {
    const found = await search(partner, { ...query, paginationToken });
    orders.push(...found.orders);
    paginationToken = found.pagination?.nextToken;
    if (!paginationToken) return orders;
  }
  return assert.fail("the listing never ends");
}

const held = await admin("GET", "amazon/Order");
const north = held.filter((order) => ["USD", "CAD"].includes(currency(order)));

function currency(order) {
  return order.orderItems[0].product.price.unitPrice.currencyCode;
}

await set("rate_factor", 100);
const american = client("na");
{
  const orders = await list(american, { maxResultsPerPage: 9 });
  const ids = orders.map((order) => order.orderId).sort();
  assert.deepEqual(ids, north.map((order) => order.orderId).sort());
  ok("lists every order of its region over pages, each once");
  for (const order of orders.filter((one) => one.proceeds)) {
    const cents = (amount) => Math.round(Number(amount.amount) * 100);
    const sum = order.proceeds.breakdowns.reduce((all, one) => all + cents(one.subtotal), 0);
    assert.equal(sum, cents(order.proceeds.grandTotal), order.orderId);
  }
  ok("breakdowns add up");
}

{
  const order = await american.callAPI({
    operation: "orders.getOrder",
    path: { orderId: north[0].orderId },
    options: { version: "2026-01-01" },
  });
  assert.equal(order.order.orderId, north[0].orderId);
  const error = await refused(search(american, { maxResultsPerPage: 500 }));
  assert.equal(error.code, "InvalidInput");
  ok("one order, and a refused parameter");
}

{
  const before = american.access_token;
  await travel(3600);
  const found = await search(american, {});
  assert.ok(found.orders.length > 0);
  assert.notEqual(american.access_token, before);
  ok("an expired token is renewed");
  const strict = client("na", { auto_request_tokens: false });
  strict._access_token = before;
  const error = await refused(search(strict, {}));
  assert.deepEqual([error.code, error.message], ["Unauthorized", "Access to requested resource is denied."]);
  ok("without renewal it is refused");
}

{
  const stranger = client("eu");
  stranger._refresh_token = "Atzr|nobody";
  const error = await refused(search(stranger, {}));
  assert.equal(error.code, "invalid_grant");
  ok("an unknown authorization is refused");
  const europe = await list(client("eu"), {});
  assert.ok(europe.length > 0 && europe.every((order) => currency(order) === "GBP"));
  ok("another region is another account");
}

{
  // A burst of 20 times ten, then one every 17.8 seconds; five of these by the header, not by the clock.
  await set("rate_factor", 10);
  const patient = client("na", { auto_request_throttled: false });
  let error;
  for (let count = 0; count < 400 && !error; count += 1) {
    error = await search(patient, {}).then(
      () => undefined,
      (fault) => fault,
    );
  }
  assert.equal(error?.code, "QuotaExceeded");
  ok("a throttle is met");
  const raw = await patient.callAPI({
    operation: "orders.searchOrders",
    query: { createdAfter: since },
    options: { version: "2026-01-01", raw_result: true },
  });
  assert.deepEqual([raw.statusCode, raw.headers["x-amzn-ratelimit-limit"]], [429, "0.056"]);
  assert.ok(raw.headers["x-amzn-requestid"]);
  await set("rate_factor", 10_000);
  const again = client("na");
  await search(again, {});
  ok("the client waits as the header says, and gets through");
}

{
  await set("report_queued_s", 0);
  await set("report_in_progress_s", 0);
  const rows = await client("fe").downloadReport({
    body: {
      reportType: "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL",
      marketplaceIds: [YEN],
      dataStartTime: new Date(Date.now() - 20 * 86_400_000).toISOString(),
      dataEndTime: new Date().toISOString(),
    },
    interval: 100,
    download: { json: true },
  });
  const yen = held.filter((order) => currency(order) === "JPY");
  const items = yen.flatMap((order) => order.orderItems);
  assert.equal(rows.length, items.length);
  assert.ok(rows.every((row) => row["sales-channel"] === "Amazon.co.jp"));
  assert.ok(rows.some((row) => ["札幌市中央区", "松本市"].includes(row["ship-city"])));
  ok("a report is asked for, waited for, fetched, unpacked and read");
}

{
  const scope = client("na");
  const made = await scope.callAPI({
    operation: "notifications.createDestination",
    body: {
      name: "peer",
      resourceSpecification: { sqs: { arn: "arn:aws:sqs:us-east-1:123456789012:peer" } },
    },
  });
  const subscription = await scope.callAPI({
    operation: "notifications.createSubscription",
    path: { notificationType: "ORDER_CHANGE" },
    body: { payloadVersion: "1.0", destinationId: made.destinationId },
  });
  const found = await scope.callAPI({
    operation: "notifications.getSubscription",
    path: { notificationType: "ORDER_CHANGE" },
  });
  assert.equal(found.subscriptionId, subscription.subscriptionId);
  ok("a destination and a subscription are made");
}

// What arrives at a receiver, as an independent validator and a chain check see it.
const arrived = [];
const receiver = http.createServer((request, reply) => {
  let text = "";
  request.on("data", (part) => (text += part));
  request.on("end", () => {
    arrived.push({ headers: request.headers, body: JSON.parse(text) });
    reply.end();
  });
});
await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${receiver.address().port}/sns`;

async function next() {
  for (let wait = 0; wait < 100 && arrived.length === 0; wait += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(arrived.length > 0, "nothing arrived");
  return arrived.shift();
}

function validate(message) {
  return new Promise((resolve, reject) => {
    new SnsValidator().validate(message, (error, valid) => (error ? reject(error) : resolve(valid)));
  });
}

for (const signature_version of [1, 2]) {
  const sns_url = "https://sns.us-east-1.amazonaws.com";
  await set("topic", { url, signature_version, sns_url });
  const asked = await validate((await next()).body);
  assert.equal(asked.Type, "SubscriptionConfirmation");
  const page = await fetch(asked.SubscribeURL.replace(sns_url, sandbox.origin));
  assert.equal(page.status, 200);
  await admin("POST", "amazon/Order", {
    marketplace: "US",
    fulfilledBy: "MERCHANT",
    items: [{ sku: "BX-1", quantity: 1, unitPrice: "9.99" }],
  });
  const told = await next();
  assert.equal(told.headers["x-amz-sns-topic-arn"], setting("SNS_TOPIC"));
  const message = await validate(told.body);
  const change = JSON.parse(message.Message);
  assert.equal(change.NotificationType, "ORDER_CHANGE");
  const spoilt = { ...told.body, Message: told.body.Message.replace("9", "8") };
  await refused(validate(spoilt));
  const file = await fetch(message.SigningCertURL.replace(sns_url, sandbox.origin));
  const pems = (await file.text()).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  const chain = [...pems, setting("SNS_ROOT_CA")].map((pem) => new X509Certificate(pem));
  assert.equal(chain.length, 3, "a leaf, its issuer, and the root");
  for (const [at, issuer] of chain.slice(1).entries()) {
    assert.ok(chain[at].verify(issuer.publicKey) && chain[at].checkIssued(issuer) && issuer.ca);
  }
  ok(`SNS is confirmed and believed, signature version ${signature_version}`);
}
receiver.close();
