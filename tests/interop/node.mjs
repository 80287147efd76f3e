// Calls a server from Node.js: @grpc/grpc-js over gRPC with the .proto files as they are, fetch over gRPC-Web and REST,
// and plain HTTP/2 for what a client library does not send.
//
// Environment: URL and TOKEN of the server, its ROLE, `emulator` or `bridge`, and PROTO, the folder of the .proto files.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { after, test } from 'node:test';
import { createRequire } from 'node:module';

// The packages are in a folder of NODE_PATH, which only `require` reads.
const require = createRequire(import.meta.url);
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');

const { URL: url, TOKEN: token, ROLE: role, PROTO: proto } = process.env;
const TASKS = 'eset/dotnod/automation/v1/device_tasks.proto';
const SCAN = 'Era/Common/DataDefinition/Task/ESS/on_demand_scan.proto';
const METHOD = '/eset.dotnod.automation.v1.DeviceTasks/';
const MISSING = '0b7f0000-0000-4000-8000-000000000000';
const authorization = `Bearer ${token}`;

const root = new protobuf.Root();
root.resolvePath = (_, target) => (target.startsWith('google/protobuf/') ? target : `${proto}/${target}`);
root.loadSync([TASKS, SCAN]);
const type = (name) => root.lookupType(name);
const Scan = type('Era.Common.DataDefinition.Task.ESS.OnDemandScan');

const loaded = loader.loadSync([TASKS, 'eset/dotnod/policy_management/v2/policies.proto'], { includeDirs: [proto], longs: String });
const { automation, policy_management: management } = grpc.loadPackageDefinition(loaded).eset.dotnod;
const [tasks, policies] = [automation.v1.DeviceTasks, management.v2.Policies].map(
  (Service) => new Service(new URL(url).host, grpc.credentials.createInsecure()),
);
after(() => [tasks, policies].forEach((client) => client.close()));

function call(method, request, metadata = {}, options = {}) {
  const client = options.client ?? tasks;
  const sent = new grpc.Metadata();
  for (const [name, value] of Object.entries({ authorization, ...metadata })) sent.set(name, value);
  const deadline = Date.now() + (options.timeout ?? 30_000);
  let started;
  const answer = new Promise((resolve, reject) => {
    started = client[method](request, sent, { deadline }, (error, value) => (error ? reject(error) : resolve(value)));
  });
  return Object.assign(answer, { cancel: () => started.cancel() });
}

const code = (name) => (error) => {
  assert.equal(grpc.status[error.code], name, error);
  return true;
};

test('a packed Any comes back', async () => {
  const scan = { scanProfile: 1, scanTargets: ['C:\\Ünï'], cleaningEnabled: false };
  const value = Scan.encode(Scan.create(scan)).finish();
  const params = { type_url: `type.googleapis.com/${Scan.fullName.slice(1)}`, value };
  const task = {
    displayName: 'of Node',
    action: { name: 'OnDemandScan', params },
    targets: { devicesUuids: ['123e4567-e89b-12d3-a456-426614174000'] },
    triggers: [{ manual: {} }],
  };
  const created = (await call('CreateTask', { task })).task;
  const read = (await call('GetTask', { taskUuid: created.uuid })).task;
  assert.deepEqual(read, created);
  assert.deepEqual(Scan.toObject(Scan.decode(read.action.params.value)), scan);
  await call('DeleteTask', { taskUuid: created.uuid });
  await assert.rejects(call('GetTask', { taskUuid: created.uuid }), code('NOT_FOUND'));
});

test('pages are the whole list', async () => {
  const list = (request) => call('ListPolicies', request, {}, { client: policies });
  const whole = await list({ pageSize: 1000 });
  const found = [];
  let pageToken = '';
  do {
    const page = await list({ pageSize: 2, pageToken });
    found.push(...page.policies);
    pageToken = page.nextPageToken;
  } while (pageToken);
  assert.ok(found.length > 2);
  assert.deepEqual(found, whole.policies);
});

test('codes, messages and details arrive', async () => {
  await assert.rejects(call('GetTask', { taskUuid: MISSING }), (error) => {
    assert.ok(error.metadata.get('grpc-status-details-bin').length, error);
    return code('NOT_FOUND')(error);
  });
  const fault = { 'x-emulator-fault': 'code=PERMISSION_DENIED; message=as asked' };
  await assert.rejects(call('GetTask', { taskUuid: MISSING }, fault), (error) => {
    assert.equal(error.details, 'as asked');
    return code('PERMISSION_DENIED')(error);
  });
});

test('deadlines and cancellation end calls', async () => {
  const slow = { 'x-emulator-fault': 'delay=600000' };
  await assert.rejects(call('ListTasks', {}, slow, { timeout: 300 }), code('DEADLINE_EXCEEDED'));
  const cancelled = call('ListTasks', {}, slow, { timeout: 5_000 });
  cancelled.cancel();
  await assert.rejects(cancelled, code('CANCELLED'));
  await call('ListTasks', { pageSize: 1 });
});

// What arrives over plain HTTP/2: the code, the headers and the trailers.
function exchange(session, headers, body) {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST', ':path': `${METHOD}ListTasks`, 'content-type': 'application/grpc', te: 'trailers', authorization,
      ...headers,
    });
    const found = {};
    stream.on('response', (head) => (found.head = head)).on('trailers', (trailers) => (found.trailers = trailers));
    stream.on('error', reject).resume();
    stream.on('close', () => resolve({ ...found, status: { ...found.head, ...found.trailers }['grpc-status'] }));
    stream.end(body);
  });
}

function frame(message, flag = 0) {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

test('the server itself ends what is late, and refuses what it cannot read', async (t) => {
  const session = http2.connect(url, { maxSessionMemory: 64 }); // MB; a large message waits there.
  after(() => session.close());
  const { OK, INVALID_ARGUMENT, DEADLINE_EXCEEDED, UNIMPLEMENTED, RESOURCE_EXHAUSTED, INTERNAL } = grpc.status;
  const empty = frame(Buffer.alloc(0));
  const head = (length) => Buffer.concat([Buffer.from([0]), Buffer.from([length >>> 24, length >>> 16, length >>> 8, length])]);
  const cases = [
    ['deadline', { 'grpc-timeout': '200m', 'x-emulator-fault': 'delay=600000' }, empty, DEADLINE_EXCEEDED],
    ['deadline that has passed', { 'grpc-timeout': '0n' }, empty, DEADLINE_EXCEEDED],
    ['deadline without unit', { 'grpc-timeout': '200' }, empty, INVALID_ARGUMENT],
    ['deadline with nine digits', { 'grpc-timeout': '123456789m' }, empty, INVALID_ARGUMENT],
    ['negative deadline', { 'grpc-timeout': '-1S' }, empty, INVALID_ARGUMENT],
    ['encoding', { 'grpc-encoding': 'snappy' }, frame(Buffer.from('x'), 1), UNIMPLEMENTED],
    ['compressed without an encoding', {}, frame(Buffer.from('x'), 1), INTERNAL],
    ['message that is no gzip', { 'grpc-encoding': 'gzip' }, frame(Buffer.from('x'), 1), INTERNAL],
    ['message over the limit', {}, frame(Buffer.alloc(17 << 20)), RESOURCE_EXHAUSTED],
    ['message that announces 4 GiB', {}, head(0xffffffff), RESOURCE_EXHAUSTED],
    ['message that is cut', {}, frame(Buffer.alloc(10)).subarray(0, 8), INTERNAL],
    ['two messages', {}, Buffer.concat([empty, empty]), UNIMPLEMENTED],
    ['message that is no protobuf', {}, frame(Buffer.from([0xff])), INTERNAL],
    ['no message', {}, undefined, UNIMPLEMENTED],
    ['method', { ':path': `${METHOD}NoSuch` }, empty, UNIMPLEMENTED],
    ['service', { ':path': '/no.Such/Method' }, empty, UNIMPLEMENTED],
    ['media type with suffix', { 'content-type': 'application/grpc+proto' }, empty, OK],
  ];
  for (const [name, headers, body, expected] of cases) {
    await t.test(name, async () => {
      const { status, head: answered } = await exchange(session, headers, body);
      assert.equal(grpc.status[status], grpc.status[expected]);
      if (name === 'encoding') assert.match(answered['grpc-accept-encoding'] ?? '', /gzip/);
    });
  }
});

const ListTasksResponse = type('eset.dotnod.automation.v1.ListTasksResponse');

test('gRPC-Web, binary and as text', { skip: role !== 'bridge' }, async () => {
  const list = Buffer.from(type('eset.dotnod.automation.v1.ListTasksRequest').encode({ pageSize: 3 }).finish());
  for (const text of [false, true]) {
    const contentType = `application/grpc-web${text ? '-text' : ''}+proto`;
    const framed = frame(list);
    const headers = { 'content-type': contentType, accept: contentType, 'x-grpc-web': '1', authorization };
    const body = text ? framed.toString('base64') : framed;
    const response = await fetch(`${url}${METHOD}ListTasks`, { method: 'POST', headers, body });
    assert.equal(response.status, 200);
    let bytes = Buffer.from(await response.arrayBuffer());
    // Each part of a text is base64 with padding of its own.
    if (text) bytes = Buffer.concat(bytes.toString().match(/[^=]+={0,2}/g).map((part) => Buffer.from(part, 'base64')));
    const length = bytes.readUInt32BE(1);
    assert.equal(ListTasksResponse.decode(bytes.subarray(5, 5 + length)).tasks.length, 3);
    assert.equal(bytes[5 + length], 0x80);
    assert.match(bytes.subarray(10 + length).toString(), /grpc-status: ?0/);
  }
});

test('REST by fetch', async () => {
  const response = await fetch(`${url}/v1/device_tasks?pageSize=3`, { headers: { authorization } });
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal((await response.json()).tasks.length, 3);
  const missing = await fetch(`${url}/v1/device_tasks/${MISSING}`, { headers: { authorization } });
  assert.equal(missing.status, 404);
  assert.equal((await missing.json()).code, 404);
});
