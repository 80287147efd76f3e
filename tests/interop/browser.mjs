// Calls servers from web pages in headless Chromium: from the start page, and from the page of another origin.
//
// Environment: URL and TOKEN of a bridge, and ORIGIN, that of an emulator: the bridge lets its pages call, and not the
// other way round.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRequire } from 'node:module';

// The packages are in a folder of NODE_PATH, which only `require` reads.
const { chromium } = createRequire(import.meta.url)('playwright-core');
const { URL: url, TOKEN: token, ORIGIN: origin } = process.env;

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
});
after(() => browser.close());

async function opened(address, options) {
  const page = await browser.newPage(options);
  const problems = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(address);
  return { page, problems };
}

// Opens the form of an RPC, fills it in, sends it and returns what the page shows.
async function send(page, method, path, fields = {}) {
  const details = page.locator(`details[data-method="${method}"][data-path="${path}"]`);
  await details.locator('summary').click();
  for (const [name, value] of Object.entries(fields)) await details.locator(`[name="${name}"]`).fill(value);
  await details.getByRole('button').click();
  const answer = details.locator('pre');
  await answer.filter({ hasText: /^\d{3}/ }).waitFor();
  return answer.textContent();
}

for (const [name, address] of [['bridge', url], ['emulator', origin]]) {
  test(`the start page of the ${name} makes calls`, async () => {
    const { page, problems } = await opened(address);
    if (name === 'emulator') {
      assert.match(await send(page, 'GET', '/v1/device_groups'), /^401/);
      problems.length = 0; // Chromium reports the status.
    }
    await page.locator('#token').fill(token);
    const listed = await send(page, 'GET', '/v1/device_tasks', { pageSize: '2' });
    assert.match(listed, /^200[^]*"tasks": \[[^]*"nextPageToken": "/);
    assert.equal(listed.match(/\n {6}"uuid": /g).length, 2, listed);
    // The example of the OpenAPI document.
    const created = await send(page, 'POST', '/v1/device_tasks');
    const uuid = created.match(/"uuid": "([^"]+)"/)[1];
    assert.match(await send(page, 'DELETE', '/v1/device_tasks/{task_uuid}', { taskUuid: uuid }), /^200/);
    assert.deepEqual(problems, []);
    await page.close();
  });
}

const request = (target, bearer) => ({ target, headers: { authorization: `Bearer ${bearer}` } });
const attempt = ({ target, headers }) => fetch(`${target}/v1/device_tasks?pageSize=1`, { headers }).then(
  async (response) => ({ status: response.status, tasks: (await response.json()).tasks.length, id: response.headers.get('request-id') }),
  (error) => ({ error: error.name }),
);

test('a page of an allowed origin calls over REST and gRPC-Web, another one does not', async () => {
  const { page: allowed } = await opened(origin, { bypassCSP: true });
  const { status, tasks, id } = await allowed.evaluate(attempt, request(url, token));
  assert.deepEqual({ status, tasks }, { status: 200, tasks: 1 });
  assert.ok(id);
  const pushback = await allowed.evaluate(async ({ target }) => {
    const failed = await fetch(`${target}/v1/device_tasks`, { headers: { 'x-emulator-fault': 'code=UNAVAILABLE' } });
    return failed.headers.get('grpc-retry-pushback-ms');
  }, request(url, token));
  assert.equal(pushback, '-1');
  const called = await allowed.evaluate(async ({ target }) => {
    const method = '/eset.dotnod.automation.v1.DeviceTasks/GetTask';
    const headers = { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1', 'grpc-timeout': '30S' };
    const response = await fetch(target + method, { method: 'POST', headers, body: new Uint8Array(5) });
    return { status: response.headers.get('grpc-status'), message: response.headers.get('grpc-message') };
  }, request(url, token));
  assert.equal(called.status, '3', called.message);
  const { page: foreign } = await opened(url, { bypassCSP: true });
  assert.deepEqual(await foreign.evaluate(attempt, request(origin, token)), { error: 'TypeError' });
});
