// What lies under both surfaces: headers, keep-alives, the queue's limit, the list of models, probes, compressed bodies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import Anthropic from '@anthropic-ai/sdk';
import {
  anthropic,
  frames,
  idle,
  key,
  model,
  needsScript,
  openai,
  raw,
  scripted,
  until,
  url,
  user,
} from './common.mjs';

const surfaces = [
  ['/v1/messages', 'anthropic'],
  ['/v1/chat/completions', 'openai'],
];
const ask = (content, more = {}) => ({ model, max_tokens: 8, messages: user(content), ...more });

test('every reply has both request-id headers with one value', async () => {
  const seen = new Set();
  for (const [method, path, body] of [
    ['POST', '/v1/messages', ask('Hi [count]')],
    ['POST', '/v1/chat/completions', ask('Hi [count]')],
    ['GET', '/v1/models'],
    ['GET', '/healthz'],
    ['GET', '/readyz'],
    ['GET', '/metrics'],
    ['GET', '/nowhere'],
    ['POST', '/v1/messages', ask('Hi [count]', { stream: true })],
    ['POST', '/v1/chat/completions', '{'],
    ['GET', '/'],
    ['GET', '/admin/v1/status'],
  ]) {
    const { headers } = await raw(method, path, { body });
    assert.match(headers['request-id'], /^req_/, path);
    assert.equal(headers['x-request-id'], headers['request-id'], path);
    seen.add(headers['request-id']);
  }
  assert.equal(seen.size, 11);
  const { request_id } = await anthropic.messages.create(ask('Hi [count]')).withResponse();
  assert.match(request_id, /^req_/);
  assert.match((await openai.chat.completions.create(ask('Hi [count]')))._request_id, /^req_/);
});

test('streams have the headers that proxies and clients need', async () => {
  for (const [path] of surfaces) {
    const { headers } = await raw('POST', path, { body: ask('Hi [count]', { stream: true }) });
    assert.equal(headers['content-type'], 'text/event-stream; charset=utf-8');
    assert.equal(headers['cache-control'], 'no-cache');
    assert.equal(headers['x-accel-buffering'], 'no');
    assert.equal(headers['content-encoding'], undefined);
  }
});

test("a silent engine is bridged by keep-alives of the surface's kind", needsScript, async () => {
  const one = frames((await raw('POST', '/v1/messages', { body: ask('[slow]', { stream: true }) })).text);
  assert.ok(one.filter((f) => f.event === 'ping').length >= 1);
  for (const frame of one) assert.deepEqual([frame.event, frame.comment], [frame.json.type, undefined]);
  const two = frames((await raw('POST', '/v1/chat/completions', { body: ask('[slow]', { stream: true }) })).text);
  const comments = two.filter((f) => f.comment);
  assert.ok(comments.length >= 1);
  for (const { comment, data } of comments) assert.deepEqual([comment, data], [': keepalive', undefined]);
  const final = await anthropic.messages.stream(ask('[slow]')).finalMessage();
  assert.equal(final.content[0].text, 'Here I am.');
  assert.equal(
    (await openai.chat.completions.stream(ask('[slow]')).finalChatCompletion()).choices[0].message.content,
    'Here I am.',
  );
});

test('headers and the first event come while the engine is still silent', needsScript, async () => {
  for (const [path, first] of [
    ['/v1/messages', 'message_start'],
    ['/v1/chat/completions', '"role":"assistant"'],
  ]) {
    const stop = new AbortController();
    let seen = '';
    const done = raw('POST', path, {
      body: ask('[hang]', { stream: true }),
      signal: stop.signal,
      onData: (text) => {
        seen = text;
        if (text.includes(first)) stop.abort();
      },
    });
    await assert.rejects(done, /abort/i);
    assert.ok(seen.includes(first));
  }
  await idle();
});

test('a full queue is 429 with the time to wait; afterwards all is well', needsScript, async () => {
  await idle();
  const stop = new AbortController();
  const taken = Array.from({ length: 12 }, () =>
    raw('POST', '/v1/messages', { body: ask('[hang]', { stream: true }), signal: stop.signal }).catch((e) => e),
  );
  await until((now) => now.requests_running === 12, 'the filling of the queue');
  for (const [path, name] of surfaces) {
    const answer = await raw('POST', path, { body: ask('Hi [count]') });
    assert.equal(answer.status, 429, answer.text);
    assert.equal(answer.json().error.type, 'rate_limit_error', name);
    if (name === 'openai') assert.equal(answer.json().error.code, 'rate_limit_exceeded');
    assert.ok(Number(answer.headers['retry-after-ms']) > 0);
    assert.ok(Number(answer.headers['retry-after']) >= 1);
    assert.equal(answer.headers['x-should-retry'], 'true');
  }
  await assert.rejects(anthropic.messages.create(ask('Hi [count]')), Anthropic.RateLimitError);
  const counting = await raw('POST', '/v1/messages/count_tokens', { body: { model, messages: user('Hi') } });
  assert.equal(counting.status, 200, 'counting does not queue');
  const patient = new Anthropic({ baseURL: url, apiKey: key, authToken: null, maxRetries: 8 });
  const retried = patient.messages.create(ask('Hi [count]'));
  stop.abort();
  await Promise.all(taken);
  assert.equal((await retried).role, 'assistant');
  await idle();
});

test('count_tokens answers while a generation runs', needsScript, async () => {
  const stop = new AbortController();
  const busy = Array.from({ length: 4 }, () =>
    raw('POST', '/v1/messages', { body: ask('[hang]', { stream: true }), signal: stop.signal }).catch((e) => e),
  );
  await until((now) => now.requests_running === 4, 'the start of the requests');
  assert.ok((await anthropic.messages.countTokens({ model, messages: user('Hello') })).input_tokens > 0);
  stop.abort();
  await Promise.all(busy);
  await idle();
});

test('the list of models serves all its readers', async () => {
  const answer = await raw('GET', '/v1/models?limit=1000&client_version=0.169.0');
  const list = answer.json();
  assert.equal(list.object, 'list');
  assert.deepEqual([list.has_more, list.first_id, list.last_id], [false, list.data[0].id, list.data.at(-1).id]);
  for (const entry of list.data) {
    assert.deepEqual(
      [entry.object, entry.type, typeof entry.created, typeof entry.display_name],
      ['model', 'model', 'number', 'string'],
    );
    assert.ok(!Number.isNaN(Date.parse(entry.created_at)));
    assert.ok(entry.max_input_tokens > 0 && entry.context_length === entry.max_input_tokens);
    for (const name of [
      'batch',
      'citations',
      'code_execution',
      'context_management',
      'effort',
      'image_input',
      'pdf_input',
      'server_tools',
      'structured_outputs',
      'thinking',
    ]) {
      assert.equal(typeof entry.capabilities[name].supported, 'boolean');
    }
  }
  const alias = list.data.filter((entry) => /anthropic/i.test(entry.id));
  assert.equal(alias.length, 1);
  assert.ok(!/claude/i.test(alias[0].id));
  assert.equal(list.models[0].slug, model);
  assert.equal(list.models[0].context_window, list.data[0].context_length);
  for (const query of ['limit=0', 'limit=1001', 'limit=x', 'limit=-1'])
    assert.equal((await raw('GET', `/v1/models?${query}`)).status, 400, query);
});

test('both libraries list, page and get models', async () => {
  const ids = [];
  for await (const entry of anthropic.models.list({ limit: 1 })) ids.push(entry.id);
  assert.deepEqual(ids, [model, `anthropic-local/${model}`]);
  const page = await anthropic.models.list({ limit: 1, before_id: `anthropic-local/${model}` });
  assert.deepEqual([page.data.map((m) => m.id), page.has_more], [[model], false]);
  const theirs = [];
  for await (const entry of openai.models.list()) theirs.push(entry.id);
  assert.deepEqual(theirs, ids);
  for (const id of ids) {
    assert.equal((await anthropic.models.retrieve(id)).id, id);
    assert.equal((await openai.models.retrieve(id)).id, id);
    assert.equal((await raw('GET', `/v1/models/${id}`)).json().id, id);
  }
  const missing = await raw('GET', '/v1/models/nobody');
  assert.deepEqual([missing.status, missing.json().error.code], [404, 'model_not_found']);
  const theirsMissing = await raw('GET', '/v1/models/nobody', { headers: { 'anthropic-version': '2023-06-01' } });
  assert.deepEqual([theirsMissing.status, theirsMissing.json().error.type], [404, 'not_found_error']);
  assert.equal((await raw('GET', '/v1/models', { auth: false })).status, 401);
});

test('HEAD probes are answered without a body and without a key', async () => {
  for (const path of ['/', '/api/hello', '/api/version', '/healthz', '/readyz']) {
    const answer = await raw('HEAD', path, { auth: false });
    assert.deepEqual([answer.status, answer.text], [200, ''], path);
  }
  assert.equal((await raw('HEAD', '/v1/models')).status, 200);
});

test('compressed request bodies are read', async () => {
  const body = Buffer.from(JSON.stringify(ask('Hi [count]')));
  const forms = { gzip: zlib.gzipSync(body), ...(zlib.zstdCompressSync ? { zstd: zlib.zstdCompressSync(body) } : {}) };
  for (const [coding, packed] of Object.entries(forms)) {
    for (const [path] of surfaces) {
      const answer = await raw('POST', path, { body: packed, headers: { 'content-encoding': coding } });
      assert.equal(answer.status, 200, `${coding}: ${answer.text}`);
    }
  }
  const bomb = zlib.gzipSync(Buffer.alloc(200 << 20, 0x20));
  const answer = await raw('POST', '/v1/messages', { body: bomb, headers: { 'content-encoding': 'gzip' } });
  assert.ok([400, 413].includes(answer.status), String(answer.status));
  for (const coding of ['br', 'gzip, gzip', 'nonsense']) {
    const odd = await raw('POST', '/v1/messages', { body, headers: { 'content-encoding': coding } });
    assert.ok([400, 415].includes(odd.status), `${coding}: ${odd.status}`);
  }
  const broken = await raw('POST', '/v1/messages', {
    body: Buffer.from('not gzip'),
    headers: { 'content-encoding': 'gzip' },
  });
  assert.equal(broken.status, 400);
});

test('no route redirects', async () => {
  for (const path of [
    '/v1/models/',
    '/v1',
    '/v1/',
    '/v1//models',
    '/V1/models',
    '/v1/messages/',
    '/admin',
    '/index.html',
  ]) {
    const { status } = await raw('GET', path);
    assert.ok(status < 300 || status >= 400, `${path}: ${status}`);
  }
});

test('ledger rows name surface, model and workload', async () => {
  const answer = await raw('POST', '/v1/messages', {
    body: ask('Hi [count]'),
    headers: { 'x-freehold-workload': 'night build' },
  });
  const row = (await raw('GET', `/admin/v1/requests/${answer.headers['request-id']}`)).json();
  assert.deepEqual(
    [row.dialect, row.model_requested, row.model_served, row.workload, row.http_status, row.state],
    ['anthropic', model, model, 'night_build', 200, 'settled'],
  );
  const { usage } = answer.json();
  assert.equal(row.usage.output, usage.output_tokens);
  assert.equal(
    row.usage.input_uncached + row.usage.cache_read + row.usage.cache_write,
    usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens,
  );
  if (scripted) assert.equal(row.end_reason, row.usage.output < 8 ? 'complete' : 'length');
});

test('OPTIONS says what a path takes', async () => {
  for (const [path, allow] of [
    ['/v1/messages', 'POST, OPTIONS'],
    ['/v1/models', 'GET, HEAD, OPTIONS'],
    ['/v1/models/x', 'GET, HEAD, OPTIONS'],
  ]) {
    const answer = await raw('OPTIONS', path, { auth: false });
    assert.deepEqual([answer.status, answer.headers.allow, answer.text], [204, allow, '']);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  }
  assert.equal((await raw('OPTIONS', '/v1/nowhere', { auth: false })).status, 404);
});

test('a page of this machine may ask, call and read; another page may not', async () => {
  const origin = 'http://localhost:3000';
  const question = (from, path = '/v1/messages') =>
    raw('OPTIONS', path, {
      auth: false,
      headers: {
        origin: from,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
  const { status, headers } = await question(origin);
  assert.equal(status, 204);
  assert.equal(headers['access-control-allow-origin'], origin);
  assert.equal(headers['access-control-allow-headers'], 'authorization,content-type');
  assert.match(headers['access-control-allow-methods'], /POST/);
  assert.equal(headers['access-control-allow-credentials'], undefined);
  assert.equal((await question('http://evil.example')).status, 403);
  assert.equal((await question(origin, '/admin/v1/keys')).status, 403);
  for (const [path] of surfaces) {
    for (const more of [{ body: ask('Hi [count]') }, { body: ask('Hi [count]', { stream: true }) }, { body: '{' }]) {
      const answer = await raw('POST', path, { ...more, headers: { origin } });
      assert.equal(answer.headers['access-control-allow-origin'], origin, answer.text);
      assert.equal(answer.headers.vary, 'origin');
      assert.match(answer.headers['access-control-expose-headers'], /request-id/);
    }
    const plain = await raw('POST', path, { body: ask('Hi [count]') });
    assert.equal(plain.headers['access-control-allow-origin'], undefined);
  }
});
