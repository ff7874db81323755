// jsforce against the sandbox: logs in three ways, crosses a page boundary, upserts, outlives an expired
// session, meets a throttle and the vendor's errors. Exits 0 if all of it holds.
//
// Reads SPIN_VARIABLE_SALESFORCE_* as `sluice sandbox --print-env` gives them, SANDBOX_ADMIN (the admin
// port's base URL), and optionally SALESFORCE_PASSWORD for the SOAP login.
import assert from 'node:assert/strict';
import { createSign } from 'node:crypto';
import jsforce from 'jsforce';

const variable = (name) => (process.env[`SPIN_VARIABLE_SALESFORCE_${name}`] ?? '').replaceAll('\\n', '\n');
const url = variable('URL');
const admin = process.env.SANDBOX_ADMIN;

const send = async (method, path, body) => {
  const response = await fetch(`${admin}${path}`, { method, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.status === 204 ? null : response.json();
};

const connect = () =>
  new jsforce.Connection({
    instanceUrl: url,
    version: '60.0',
    oauth2: {
      loginUrl: url,
      clientId: variable('CLIENT_ID'),
      clientSecret: variable('CLIENT_SECRET'),
    },
  });

const byClientCredentials = async (connection) =>
  connection.authorize({ grant_type: 'client_credentials' });

const byAssertion = async (connection) => {
  const part = (json) => Buffer.from(JSON.stringify(json)).toString('base64url');
  const claims = {
    iss: variable('CLIENT_ID'),
    sub: variable('USERNAME'),
    aud: 'https://login.salesforce.com',
    exp: Math.floor(Date.now() / 1000) + 120,
  };
  const signed = `${part({ alg: 'RS256' })}.${part(claims)}`;
  const signature = createSign('RSA-SHA256').update(signed).sign(variable('PRIVATE_KEY'), 'base64url');
  return connection.authorize({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: `${signed}.${signature}`,
  });
};

const check = async (what, test) => {
  await test();
  console.log(`ok ${what}`);
};

const rejectsWith = (promise, code) =>
  assert.rejects(promise, (error) => {
    assert.equal(error.errorCode ?? error.name, code, error.message);
    return true;
  });

const connection = connect();
await send('DELETE', '/faults');

await check('logs in with client credentials', async () => {
  const user = await byClientCredentials(connection);
  assert.equal(user.organizationId, variable('ORGANIZATION_ID'));
});

await check('is refused with a wrong secret', async () => {
  const wrong = new jsforce.Connection({
    oauth2: { loginUrl: url, clientId: variable('CLIENT_ID'), clientSecret: 'wrong' },
  });
  await rejectsWith(byClientCredentials(wrong), 'invalid_client');
});

if (variable('PRIVATE_KEY')) {
  await check('logs in with a signed assertion', async () => {
    const other = connect();
    await byAssertion(other);
    assert.ok((await other.limits()).DailyApiRequests.Remaining > 0);
  });
}

if (process.env.SALESFORCE_PASSWORD) {
  await check('logs in by SOAP', async () => {
    const other = new jsforce.Connection({ loginUrl: url, version: '50.0' });
    const user = await other.login(variable('USERNAME'), process.env.SALESFORCE_PASSWORD);
    assert.equal(user.organizationId, variable('ORGANIZATION_ID'));
    await other.logout();
  });
}

await check('identifies itself', async () => {
  const identity = await connection.identity();
  assert.equal(identity.username, variable('USERNAME'));
});

await check('describes', async () => {
  const described = await connection.describe('Opportunity');
  assert.ok(described.fields.some((field) => field.name === 'StageName'));
  assert.ok((await connection.describeGlobal()).sobjects.length >= 6);
  assert.ok(connection.limitInfo.apiUsage.limit > 0);
});

await check('queries over a page boundary', async () => {
  await send('PUT', '/salesforce/pages', { row_count_max: 50 });
  const held = await send('GET', '/salesforce/Account');
  const query = connection.query('SELECT Id, Name, Parent.Name FROM Account ORDER BY Name');
  const fetched = await query.run({ autoFetch: true, maxFetch: 10_000 });
  assert.equal(fetched.records.length, held.length);
  assert.equal(new Set(fetched.records.map((record) => record.Id)).size, held.length);
  await send('PUT', '/salesforce/pages', { row_count_max: 2000 });
});

await check('reads children and builds its own queries', async () => {
  const sales = await connection
    .sobject('Opportunity')
    .find({ IsClosed: false, CloseDate: { $gt: jsforce.Date.toDateLiteral('2020-01-01') } }, 'Id, Name, Amount')
    .include('OpportunityLineItems', {}, 'Id, Quantity, Product2.ProductCode')
    .end()
    .sort('-Name')
    .limit(5);
  assert.equal(sales.length, 5);
  for (const sale of sales) {
    assert.ok(sale.OpportunityLineItems.records.length >= 1);
    assert.ok(sale.OpportunityLineItems.records[0].Product2.ProductCode);
  }
  assert.ok((await connection.sobject('Account').count({ Name: { $like: "O'Brien%" } })) === 1);
});

await check('creates, updates, upserts, retrieves, deletes', async () => {
  const accounts = connection.sobject('Account');
  const made = await accounts.create({ Name: 'Peer', Phone: '1' });
  assert.equal(made.success, true);
  await accounts.update({ Id: made.id, Phone: '2' });
  assert.equal((await accounts.retrieve(made.id)).Phone, '2');
  const key = `peer-${Date.now()}`;
  const first = await accounts.upsert({ External_Id__c: key, Name: 'Keyed' }, 'External_Id__c');
  const second = await accounts.upsert({ External_Id__c: key, Name: 'Keyed again' }, 'External_Id__c');
  assert.equal(first.id, second.id);
  assert.equal((await accounts.retrieve(first.id)).Name, 'Keyed again');
  const many = await accounts.create([{ Name: 'Many 1' }, { Name: '' }, { Name: 'Many 3' }]);
  assert.deepEqual(many.map((one) => one.success), [true, false, true]);
  const keyed = await accounts.upsert(
    [1, 2, 1].map((n) => ({ External_Id__c: `${key}-${n}`, Name: `Keyed ${n}` })),
    'External_Id__c',
  );
  assert.deepEqual(keyed.map((one) => one.created), [true, true, false]);
  const gone = await accounts.destroy([made.id, first.id, many[0].id, many[2].id, keyed[0].id, keyed[1].id]);
  assert.ok(gone.every((one) => one.success));
});

await check('is told what is wrong', async () => {
  await rejectsWith(connection.query('SELECT Nope FROM Account'), 'INVALID_FIELD');
  await rejectsWith(connection.query('SELECT Id FRM Account'), 'MALFORMED_QUERY');
  await rejectsWith(connection.sobject('Account').create({ Phone: '1' }), 'REQUIRED_FIELD_MISSING');
  await rejectsWith(connection.sobject('Account').create({ Name: 'x'.repeat(256) }), 'STRING_TOO_LONG');
  await rejectsWith(connection.sobject('Account').retrieve('001000000000000AAA'), 'NOT_FOUND');
});

await check('asks what changed', async () => {
  const end = new Date(Date.now() + 60_000);
  const changed = await connection.sobject('Account').updated(new Date(end - 3_600_000), end);
  assert.ok(Array.isArray(changed.ids) && changed.latestDateCovered.endsWith('+0000'));
});

await check('outlives an expired session', async () => {
  let refreshed = 0;
  const lasting = new jsforce.Connection({
    instanceUrl: url,
    accessToken: connection.accessToken,
    version: '60.0',
    refreshFn: async (_, done) => {
      refreshed += 1;
      const other = connect();
      await byClientCredentials(other);
      done(null, other.accessToken);
    },
  });
  await lasting.query('SELECT Id FROM Account LIMIT 1');
  await send('PUT', '/salesforce/sessions', { end_all: true });
  assert.equal((await lasting.query('SELECT Id FROM Account LIMIT 1')).records.length, 1);
  assert.equal(refreshed, 1);
  const stale = new jsforce.Connection({ instanceUrl: url, accessToken: connection.accessToken, version: '60.0' });
  await rejectsWith(stale.query('SELECT Id FROM Account LIMIT 1'), 'INVALID_SESSION_ID');
  await byClientCredentials(connection);
});

await check('meets a throttle', async () => {
  await send('POST', '/faults', { vendor: 'salesforce', path: '/services/data/*', times: 1, what: { refuse: 'rate_limit' } });
  await rejectsWith(connection.query('SELECT Id FROM Account LIMIT 1'), 'REQUEST_LIMIT_EXCEEDED');
  await connection.query('SELECT Id FROM Account LIMIT 1');
  await send('POST', '/faults', { vendor: 'salesforce', method: 'PATCH', times: 1, what: { refuse: 'locked' } });
  const { records } = await connection.query('SELECT Id FROM Account LIMIT 1');
  await rejectsWith(connection.sobject('Account').update({ Id: records[0].Id, Phone: '3' }), 'UNABLE_TO_LOCK_ROW');
  await send('DELETE', '/faults');
});

console.log('all held');
