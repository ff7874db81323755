// An independent client, netsuite-rest from npm, against the sandbox's NetSuite account.
//
//   npm install && node netsuite.mjs
//
// Needs the variables `sluice sandbox --print-env` prints (SPIN_VARIABLE_NETSUITE_*), and the admin
// address in SANDBOX_ADMIN. Exits non-zero at the first thing that is not as it should be.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const NetSuite = createRequire(import.meta.url)("netsuite-rest");

function setting(name) {
  const value = process.env[`SPIN_VARIABLE_${name}`];
  assert.ok(value, `SPIN_VARIABLE_${name} is not set`);
  return value;
}

const credentials = {
  realm: setting("NETSUITE_ACCOUNT"),
  consumer_key: setting("NETSUITE_CONSUMER_KEY"),
  consumer_secret_key: setting("NETSUITE_CONSUMER_SECRET"),
  token: setting("NETSUITE_TOKEN_ID"),
  token_secret: setting("NETSUITE_TOKEN_SECRET"),
  base_url: setting("NETSUITE_URL").replace(/\/$/, ""),
};
const client = new NetSuite(credentials);

async function query(q, limit, offset) {
  const path = `query/v1/suiteql?limit=${limit}&offset=${offset}`;
  const reply = await client.request({ path, method: "POST", body: JSON.stringify({ q }) });
  return reply.data;
}

// The client hands on a copy of the response without its accessors, `headers` among them.
function location(reply) {
  const index = reply.rawHeaders.findIndex((name) => name.toLowerCase() === "location");
  assert.notEqual(index, -1, "no Location");
  return reply.rawHeaders[index + 1];
}

async function refused(promise) {
  const error = await promise.then(
    () => assert.fail("the request was let through"),
    (error) => error,
  );
  assert.ok(error.response, error.message);
  const details = JSON.parse(error.response.body)["o:errorDetails"];
  return { status: error.response.statusCode, code: details[0]["o:errorCode"] };
}

async function misfortune(refuse) {
  const body = JSON.stringify({ vendor: "netsuite", times: 1, what: { refuse } });
  const reply = await fetch(`${process.env.SANDBOX_ADMIN}/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  assert.ok(reply.ok, `POST /faults: ${reply.status}`);
}

const checks = {
  async "signs in"() {
    const reply = await client.request({ path: "*", method: "OPTIONS" });
    assert.equal(reply.statusCode, 204);
    const catalog = await client.request({ path: "record/v1/metadata-catalog/" });
    assert.ok(catalog.data.items.some((item) => item.name === "salesOrder"));
  },

  async "is refused with a wrong secret"() {
    const stranger = new NetSuite({ ...credentials, token_secret: "guess" });
    const refusal = await refused(stranger.request({ path: "record/v1/customer/" }));
    assert.deepEqual(refusal, { status: 401, code: "INVALID_LOGIN" });
  },

  async "upserts a customer, twice"() {
    const path = "record/v1/customer/eid:peer:Account:001:customer";
    const body = JSON.stringify({
      companyName: "O'Brien & Søns",
      subsidiary: { externalId: "US" },
    });
    const first = await client.request({ path, method: "PUT", body });
    const second = await client.request({ path, method: "PUT", body });
    assert.equal(first.statusCode, 204);
    assert.equal(location(first), location(second));
    const read = await client.request({ path });
    assert.equal(read.data.companyName, "O'Brien & Søns");
    const list = await client.request({
      path: `record/v1/customer?q=${encodeURIComponent('companyName START_WITH "O\'Brien"')}`,
    });
    assert.equal(list.data.totalResults, 1);
  },

  async "queries over a page boundary"() {
    const q = "SELECT id, itemid FROM item ORDER BY id";
    const whole = await query(q, 1000, 0);
    const ids = [];
    for (let offset = 0, more = true; more; offset += 25) {
      const page = await query(q, 25, offset);
      ids.push(...page.items.map((item) => item.id));
      more = page.hasMore;
    }
    assert.ok(ids.length > 25, "more than a page");
    assert.deepEqual(ids, whole.items.map((item) => item.id));
    assert.equal(whole.totalResults, ids.length);
  },

  async "saves an order with its lines"() {
    const found = await query("SELECT id FROM item ORDER BY id FETCH FIRST 2 ROWS ONLY", 10, 0);
    const items = found.items.map(({ id }, index) => ({
      item: { id },
      quantity: index + 1,
      rate: 0.1,
    }));
    const path = "record/v1/salesOrder/eid:peer:Opportunity:006:salesOrder?replace=item";
    const body = JSON.stringify({
      entity: { externalId: "PEER:account:001:customer" },
      item: { items },
    });
    await client.request({ path, method: "PUT", body });
    await client.request({ path, method: "PUT", body });
    const rows = await query(
      "SELECT t.tranid, t.foreigntotal FROM transaction t WHERE t.externalid = 'peer:Opportunity:006:salesOrder'",
      10,
      0,
    );
    assert.equal(rows.items[0].foreigntotal, "0.3");
  },

  async "reads the reason of a bad request"() {
    const broken = client.request({ path: "record/v1/customer", method: "POST", body: "bad body" });
    assert.deepEqual(await refused(broken), { status: 400, code: "INVALID_CONTENT" });
    const empty = client.request({ path: "record/v1/customer", method: "POST", body: "{}" });
    assert.deepEqual(await refused(empty), { status: 400, code: "USER_ERROR" });
    const unknown = refused(query("select not_existing_field from customer", 2, 0));
    assert.deepEqual(await unknown, { status: 400, code: "INVALID_PARAMETER" });
  },

  async "meets an expired token"() {
    await misfortune("token_expired");
    const refusal = await refused(query("SELECT id FROM currency", 10, 0));
    assert.deepEqual(refusal, { status: 401, code: "INVALID_LOGIN" });
    assert.ok((await query("SELECT id FROM currency", 10, 0)).count > 0);
  },

  async "meets a throttle"() {
    // A POST: the client retries a refused GET by itself.
    for (const [form, status] of [["rate_limit", 429], ["concurrency", 400]]) {
      await misfortune(form);
      const refusal = await refused(query("SELECT id FROM currency", 10, 0));
      assert.deepEqual(refusal, { status, code: "CONCURRENCY_LIMIT_EXCEEDED" });
    }
    assert.ok((await query("SELECT id FROM currency", 10, 0)).count > 0);
  },
};

for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log(`ok - ${name}`);
}
