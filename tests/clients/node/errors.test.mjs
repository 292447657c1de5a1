// Errors on both surfaces: status, shape, the field that is named, what the client may do next.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import {
  anthropic,
  filler,
  frames,
  fresh,
  key,
  ledgerRow,
  model,
  needsScript,
  onePixel,
  openai,
  PATIENCE_MS,
  raw,
  scripted,
  url,
  user,
} from './common.mjs';

const messages = user('Hello [count]');
const surfaces = [
  { name: 'anthropic', path: '/v1/messages', good: { model, max_tokens: 4, messages } },
  { name: 'openai', path: '/v1/chat/completions', good: { model, max_tokens: 4, messages } },
];

// An error in its surface's shape, with what every error carries.
function checkError(surface, answer, status, type) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['request-id'], /^req_/);
  assert.equal(answer.headers['x-request-id'], answer.headers['request-id']);
  assert.equal(answer.headers['content-type'], 'application/json');
  if (status < 429) assert.equal(answer.headers['x-should-retry'], 'false');
  const body = answer.json();
  if (surface.name === 'anthropic') {
    assert.equal(body.type, 'error');
    assert.equal(body.error.type, type[0]);
    assert.equal(body.request_id, answer.headers['request-id']);
  } else {
    assert.equal(body.error.type, type[1]);
    assert.ok('param' in body.error && 'code' in body.error);
  }
  assert.ok(body.error.message.length > 0);
  return body.error;
}
const invalid = ['invalid_request_error', 'invalid_request_error'];

// [field that the error names, members that replace those of a good body]
const wrongTypes = {
  anthropic: [
    ['model', { model: 5 }],
    ['model', { model: undefined }],
    ['model', { model: '' }],
    ['model', { model: null }],
    ['max_tokens', { max_tokens: undefined }],
    ['max_tokens', { max_tokens: '10' }],
    ['max_tokens', { max_tokens: -1 }],
    ['max_tokens', { max_tokens: 1.5 }],
    ['messages', { messages: 'hi' }],
    ['messages', { messages: [] }],
    ['messages', { messages: undefined }],
    ['messages.0', { messages: [5] }],
    ['messages.0.role', { messages: [{ role: 'nobody', content: 'x' }] }],
    ['messages.0.role', { messages: [{ content: 'x' }] }],
    ['messages.0.content', { messages: [{ role: 'user', content: 5 }] }],
    ['messages.0.content.0', { messages: [{ role: 'user', content: ['x'] }] }],
    ['messages.0.content.0.type', { messages: [{ role: 'user', content: [{}] }] }],
    ['messages.0.content.0.text', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
    ['messages.0.content.0.source', { messages: [{ role: 'user', content: [{ type: 'image' }] }] }],
    ['messages.0.content.0.tool_use_id', { messages: [{ role: 'user', content: [{ type: 'tool_result' }] }] }],
    [
      'messages.0.content.0.input',
      {
        messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'b', input: 'c' }] }, ...messages],
      },
    ],
    ['system', { system: 5 }],
    ['system.0.type', { system: [{ type: 'image', source: {} }] }],
    ['stream', { stream: 'yes' }],
    ['temperature', { temperature: 'hot' }],
    ['temperature', { temperature: 3 }],
    ['top_p', { top_p: 2 }],
    ['top_k', { top_k: 1.5 }],
    ['stop_sequences', { stop_sequences: 'x' }],
    ['stop_sequences.0', { stop_sequences: [5] }],
    ['tools', { tools: {} }],
    ['tools.0', { tools: [5] }],
    ['tools.0.name', { tools: [{ input_schema: {} }] }],
    ['tools.0.input_schema', { tools: [{ name: 'a' }] }],
    ['tool_choice', { tool_choice: 'auto' }],
    ['tool_choice.type', { tool_choice: { type: 'sometimes' } }],
    ['tool_choice.name', { tool_choice: { type: 'tool' } }],
    [
      'tool_choice',
      { tool_choice: { type: 'tool', name: 'nobody' }, tools: [{ name: 'a', input_schema: { type: 'object' } }] },
    ],
    ['thinking', { thinking: true }],
    ['thinking.type', { thinking: { type: 'hard' } }],
    ['thinking.budget_tokens', { thinking: { type: 'enabled' } }],
    ['thinking.budget_tokens', { thinking: { type: 'enabled', budget_tokens: 5 } }],
    ['output_config.effort', { output_config: { effort: 'huge' } }],
    ['output_config.format.type', { output_config: { format: { type: 'xml' } } }],
    ['output_config.format.schema', { output_config: { format: { type: 'json_schema' } } }],
    ['metadata', { metadata: 5 }],
    ['cache_control', { cache_control: true }],
  ],
  openai: [
    ['model', { model: 5 }],
    ['model', { model: undefined }],
    ['messages', { messages: 'hi' }],
    ['messages', { messages: [] }],
    ['messages', { messages: undefined }],
    ['messages.0', { messages: [5] }],
    ['messages.0.role', { messages: [{ role: 'nobody', content: 'x' }] }],
    ['messages.0.content', { messages: [{ role: 'user', content: 5 }] }],
    ['messages.0.content.0', { messages: [{ role: 'user', content: ['x'] }] }],
    ['messages.0.content.0.text', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
    ['messages.0.content.0.image_url', { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }],
    ['messages.1.tool_call_id', { messages: [...messages, { role: 'tool', content: 'x' }] }],
    ['messages.0.tool_calls.0.function', { messages: [{ role: 'assistant', tool_calls: [{ id: 'a' }] }, ...messages] }],
    ['temperature', { temperature: 'hot' }],
    ['temperature', { temperature: -1 }],
    ['top_p', { top_p: [] }],
    ['n', { n: 2 }],
    ['n', { n: 'a' }],
    ['n', { n: 0 }],
    ['max_tokens', { max_tokens: '4' }],
    ['max_tokens', { max_tokens: 1.5 }],
    ['max_tokens', { max_tokens: -5 }],
    ['max_completion_tokens', { max_completion_tokens: 'x' }],
    ['stop', { stop: 5 }],
    ['stop.0', { stop: [5] }],
    ['seed', { seed: 'a' }],
    ['logprobs', { logprobs: 'yes' }],
    ['top_logprobs', { logprobs: true, top_logprobs: 21 }],
    ['top_logprobs', { top_logprobs: 2 }],
    ['logit_bias', { logit_bias: [] }],
    ['logit_bias.a', { logit_bias: { a: 1 } }],
    ['logit_bias.5', { logit_bias: { 5: 500 } }],
    ['presence_penalty', { presence_penalty: 5 }],
    ['frequency_penalty', { frequency_penalty: 'x' }],
    ['stream', { stream: 1 }],
    ['stream_options', { stream_options: 5 }],
    ['stream_options.include_usage', { stream_options: { include_usage: 'x' } }],
    ['tools', { tools: {} }],
    ['tools.0', { tools: [5] }],
    ['tools.0.function', { tools: [{ type: 'function' }] }],
    ['tools.0.function.name', { tools: [{ type: 'function', function: {} }] }],
    ['tool_choice', { tool_choice: 'maybe' }],
    ['tool_choice', { tool_choice: 5 }],
    ['tool_choice', { tool_choice: 'required' }],
    ['parallel_tool_calls', { parallel_tool_calls: 'no' }],
    ['response_format', { response_format: 'json' }],
    ['response_format.type', { response_format: { type: 'xml' } }],
    ['response_format.json_schema', { response_format: { type: 'json_schema' } }],
    ['response_format.json_schema.schema', { response_format: { type: 'json_schema', json_schema: { name: 'a' } } }],
    ['reasoning_effort', { reasoning_effort: 'huge' }],
    ['modalities.0', { modalities: ['audio'] }],
    ['user', { user: 5 }],
    ['metadata', { metadata: 5 }],
  ],
};

for (const surface of surfaces) {
  test(`${surface.name}: a wrong value is refused and its field named`, async () => {
    for (const [field, change] of wrongTypes[surface.name]) {
      const answer = await raw('POST', surface.path, { body: { ...surface.good, ...change } });
      const error = checkError(surface, answer, 400, invalid);
      const what = `${JSON.stringify(change)} -> ${answer.text}`;
      assert.ok(error.message.startsWith(`${field}: `), what);
      if (surface.name === 'openai') assert.equal(error.param, field, what);
    }
  });

  test(`${surface.name}: null means not given`, async () => {
    const nulls = [
      'stream',
      'temperature',
      'top_p',
      'top_k',
      'tools',
      'tool_choice',
      'metadata',
      'service_tier',
      'user',
      'stop',
      'stop_sequences',
      'system',
      'thinking',
      'output_config',
      'response_format',
      'n',
      'seed',
      'logprobs',
      'top_logprobs',
      'logit_bias',
      'stream_options',
      'parallel_tool_calls',
      'reasoning_effort',
      'functions',
      'function_call',
      'cache_control',
    ];
    const answer = await raw('POST', surface.path, {
      body: { ...surface.good, ...Object.fromEntries(nulls.map((name) => [name, null])) },
    });
    assert.equal(answer.status, 200, answer.text);
  });

  test(`${surface.name}: malformed JSON is refused with its position`, async () => {
    for (const body of [
      '{"model": "x", "messages": [}',
      '',
      '{',
      '[1,2',
      '{"a":1}{"b":2}',
      'null x',
      '{"a":"\ud800"',
      Buffer.from('{"model":"\xff\xfe"}', 'latin1'),
      `{"a":${'['.repeat(100)}${']'.repeat(100)}}`,
      '{"a":1,"a":2}',
    ]) {
      const answer = await raw('POST', surface.path, { body });
      const error = checkError(surface, answer, 400, invalid);
      assert.match(error.message, /byte \d+|empty/, `${body} -> ${answer.text}`);
    }
    for (const body of ['[]', '5', '"text"', 'null', 'true'])
      checkError(surface, await raw('POST', surface.path, { body }), 400, invalid);
  });

  test(`${surface.name}: an unknown model is 404`, async () => {
    const error = checkError(
      surface,
      await raw('POST', surface.path, { body: { ...surface.good, model: 'no-such-model' } }),
      404,
      ['not_found_error', 'invalid_request_error'],
    );
    assert.match(error.message, /no-such-model/);
    if (surface.name === 'openai') assert.deepEqual([error.code, error.param], ['model_not_found', 'model']);
  });

  test(`${surface.name}: no key, a wrong key and two keys are 401`, async () => {
    const wrong = `${key.slice(0, -4)}AAAA`;
    for (const headers of [
      {},
      { authorization: `Bearer ${wrong}` },
      { 'x-api-key': wrong },
      { 'x-api-key': key, authorization: `Bearer ${wrong}` },
      { authorization: 'Basic abc' },
      { authorization: 'Bearer' },
      { cookie: 'fh_session=nothing' },
    ]) {
      const error = checkError(
        surface,
        await raw('POST', surface.path, { body: surface.good, headers, auth: false }),
        401,
        ['authentication_error', 'invalid_request_error'],
      );
      if (surface.name === 'openai') assert.equal(error.code, 'invalid_api_key');
    }
  });

  test(`${surface.name}: a foreign web origin is 403, an editor's is served`, async () => {
    for (const origin of ['http://evil.example', 'https://localhost.evil.example', 'null', 'http://10.1.2.3:1']) {
      checkError(surface, await raw('POST', surface.path, { body: surface.good, headers: { origin } }), 403, [
        'permission_error',
        'invalid_request_error',
      ]);
    }
    for (const origin of [
      'vscode-webview://abc',
      'vscode-file://vscode-app',
      'app://obsidian.md',
      'file://',
      'tauri://localhost',
      'http://localhost:3000',
      'https://127.0.0.1',
      'http://[::1]:9',
      'http://0.0.0.0:1',
    ]) {
      const answer = await raw('POST', surface.path, { body: surface.good, headers: { origin } });
      assert.equal(answer.status, 200, `${origin}: ${answer.text}`);
    }
  });

  test(`${surface.name}: another method is 405`, async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await raw(method, surface.path);
      checkError(surface, answer, 405, invalid);
      assert.equal(answer.headers.allow, 'POST, OPTIONS');
    }
  });

  test(`${surface.name}: images to a text model are refused and the ability named`, async () => {
    const data = `data:image/png;base64,${onePixel}`;
    const content =
      surface.name === 'openai'
        ? [{ type: 'image_url', image_url: { url: data } }]
        : [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: onePixel } }];
    const error = checkError(
      surface,
      await raw('POST', surface.path, {
        body: {
          ...surface.good,
          messages: [
            ...user('one'),
            { role: 'assistant', content: 'two' },
            ...user([{ type: 'text', text: 'three' }, ...content]),
          ],
        },
      }),
      400,
      invalid,
    );
    assert.match(error.message, /^messages\.2\.content\.1: this model does not read images/);
    if (surface.name === 'openai') {
      assert.deepEqual([error.param, error.code], ['messages.2.content.1', 'images_unsupported']);
    } else {
      assert.equal(error.details.error_code, 'images_unsupported');
    }
  });

  test(`${surface.name}: 20 MB is read, more than the limit is 413`, async () => {
    const big = (bytes) => JSON.stringify({ ...surface.good, messages: user('x'.repeat(bytes)) });
    if (scripted) checkError(surface, await raw('POST', surface.path, { body: big(20 << 20) }), 400, invalid); // more than the window
    checkError(surface, await raw('POST', surface.path, { body: big(33 << 20) }), 413, [
      'request_too_large',
      'invalid_request_error',
    ]);
  });

  test(`${surface.name}: a refusal by the engine keeps its field`, needsScript, async () => {
    const error = checkError(
      surface,
      await raw('POST', surface.path, { body: { ...surface.good, messages: user('[refuse]') } }),
      400,
      invalid,
    );
    assert.match(error.message, /messages: this model takes no such request/);
  });

  test(`${surface.name}: a failure before the answer is retryable`, needsScript, async () => {
    const answer = await raw('POST', surface.path, { body: { ...surface.good, messages: user('[break at once]') } });
    const error = checkError(surface, answer, surface.name === 'anthropic' ? 529 : 503, [
      'overloaded_error',
      'server_error',
    ]);
    assert.match(error.message, /the card fell off the bus/);
    assert.equal(answer.headers['x-should-retry'], 'true');
    assert.ok(Number(answer.headers['retry-after-ms']) > 0 && Number(answer.headers['retry-after']) > 0);
    const row = await ledgerRow(answer.headers['request-id']);
    assert.deepEqual(
      [row.end_reason, row.error_code, row.http_status],
      ['upstream_error', 'unavailable', answer.status],
    );
  });
}

test('overflow: the sentence that clients match, before any stream begins', async () => {
  const window = (await raw('GET', '/v1/models')).json().data[0].max_input_tokens;
  const content = `${fresh()} ${filler(window)}`;
  for (const stream of [false, true]) {
    const one = checkError(
      surfaces[0],
      await raw('POST', '/v1/messages', { body: { model, max_tokens: 4, messages: user(content), stream } }),
      400,
      invalid,
    );
    assert.match(one.message, new RegExp(`^prompt is too long: \\d+ tokens > ${window} maximum`));
    const two = checkError(
      surfaces[1],
      await raw('POST', '/v1/chat/completions', { body: { model, messages: user(content), stream } }),
      400,
      invalid,
    );
    assert.match(
      two.message,
      new RegExp(
        `^This model's maximum context length is ${window} tokens\\. However, your messages resulted in \\d+ tokens.*Please reduce the length of the messages\\.$`,
      ),
    );
    assert.deepEqual([two.code, two.param], ['context_length_exceeded', 'messages']);
  }
  const { input_tokens } = await anthropic.messages.countTokens({ model, messages: user(content) });
  assert.ok(input_tokens > window);
});

test('the model lists and unknown paths answer a client of Anthropic in its form', async () => {
  const version = { 'anthropic-version': '2023-06-01' };
  const [one, two] = surfaces;
  const ask = (path, more) => raw('GET', path, { headers: version, ...more });
  checkError(one, await ask('/v1/models', { auth: 'fh-wrong' }), 401, ['authentication_error']);
  checkError(one, await ask('/v1/models/nobody'), 404, ['not_found_error']);
  checkError(one, await ask('/v1/models?limit=x'), 400, invalid);
  checkError(one, await raw('POST', '/v1/complete', { headers: version, body: {} }), 404, ['not_found_error']);
  checkError(two, await raw('GET', '/v1/models', { auth: 'fh-wrong' }), 401, ['', 'invalid_request_error']);
  checkError(two, await raw('GET', '/v1/models/nobody'), 404, ['', 'invalid_request_error']);
  const stranger = new Anthropic({ baseURL: url, apiKey: 'fh-wrong', authToken: null, maxRetries: 0 });
  await assert.rejects(stranger.models.list(), (error) => {
    assert.ok(error instanceof Anthropic.AuthenticationError);
    assert.equal(error.error.error.type, 'authentication_error');
    return true;
  });
});

test('the client libraries raise their own classes', async () => {
  await assert.rejects(
    anthropic.messages.create({ model: 'nobody', max_tokens: 1, messages }),
    (e) => e instanceof Anthropic.NotFoundError && e.type === 'not_found_error' && /^req_/.test(e.requestID),
  );
  await assert.rejects(anthropic.messages.create({ model, max_tokens: -1, messages }), Anthropic.BadRequestError);
  await assert.rejects(
    new Anthropic({ baseURL: url, apiKey: 'wrong', authToken: null, maxRetries: 0 }).messages.create({
      model,
      max_tokens: 1,
      messages,
    }),
    Anthropic.AuthenticationError,
  );
  await assert.rejects(
    openai.chat.completions.create({ model: 'nobody', messages }),
    (e) => e instanceof OpenAI.NotFoundError && e.code === 'model_not_found' && /^req_/.test(e.requestID),
  );
  await assert.rejects(
    openai.chat.completions.create({ model, messages, n: 2 }),
    (e) => e instanceof OpenAI.BadRequestError && e.param === 'n',
  );
  await assert.rejects(
    new OpenAI({ baseURL: `${url}/v1`, apiKey: 'wrong', maxRetries: 0 }).chat.completions.create({ model, messages }),
    OpenAI.AuthenticationError,
  );
});

test('anthropic: a failure in mid-stream is one error event, then the end', needsScript, async () => {
  for (const mark of ['[break later]', '[break in call]']) {
    const answer = await raw('POST', '/v1/messages', {
      body: { model, max_tokens: 50, messages: user(mark), stream: true },
    });
    assert.equal(answer.status, 200);
    const all = frames(answer.text);
    assert.equal(all.filter((f) => f.event === 'error').length, 1);
    const { json } = all.at(-1);
    assert.deepEqual(
      [json.type, json.error.type, json.request_id],
      ['error', mark === '[break later]' ? 'overloaded_error' : 'api_error', answer.headers['request-id']],
    );
    assert.ok(!answer.text.includes('message_stop'));
    assert.equal((await ledgerRow(json.request_id)).end_reason, 'upstream_error');
  }
  const stream = anthropic.messages.stream({ model, max_tokens: 50, messages: user('[break later]') });
  await assert.rejects(
    stream.finalMessage(),
    (e) => e instanceof Anthropic.APIError && /the card fell off the bus/.test(e.message),
  );
});

test('openai: a failure in mid-stream is one error object and no [DONE]', needsScript, async () => {
  const answer = await raw('POST', '/v1/chat/completions', {
    body: { model, messages: user('[break later]'), stream: true },
  });
  const all = frames(answer.text);
  assert.deepEqual(Object.keys(all.at(-1).json), ['error']);
  assert.equal(all.at(-1).json.error.type, 'server_error');
  assert.ok(!answer.text.includes('[DONE]'));
  await assert.rejects(
    openai.chat.completions.stream({ model, messages: user('[break later]') }).finalChatCompletion(),
    (e) => e instanceof OpenAI.APIError && /the card fell off the bus/.test(e.message),
  );
});

test('a stream that broke is the last thing on its connection', needsScript, async () => {
  for (const path of ['/v1/messages', '/v1/chat/completions']) {
    const body = JSON.stringify({ model, max_tokens: 50, messages: user('[break later]'), stream: true });
    const text = await new Promise((resolve, reject) => {
      const socket = net.connect({ host: '127.0.0.1', port: new URL(url).port });
      socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('the connection stays open')));
      let all = '';
      socket.on('data', (bytes) => (all += bytes));
      socket.on('end', () => resolve(all));
      socket.on('error', reject);
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
    assert.match(text, /the card fell off the bus.*\n\n\r\n0\r\n\r\n$/s);
  }
});
