// Tools through the official Anthropic client: calls, results, streamed arguments, every tool choice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anthropic, frames, model, needsScript, onePixel, raw, scripted, user, weatherSchema } from './common.mjs';

const weather = { name: 'get_weather', description: 'The weather of a city', input_schema: weatherSchema };
const time = {
  name: 'get_time',
  description: 'The time in a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const ask = (content, more = {}) => ({
  model,
  max_tokens: 120,
  temperature: 0,
  messages: user(content),
  tools: [weather, time],
  ...more,
});
// A small model that may call in parallel goes on calling until its tokens are spent.
const once = scripted ? {} : { disable_parallel_tool_use: true };
const create = (body) => anthropic.messages.create(body);
const calls = (message) => message.content.filter((block) => block.type === 'tool_use');

function fits(call) {
  assert.equal(typeof call.input.city, 'string');
  assert.match(call.id, /^toolu_/);
}

test('call, result, final answer', needsScript, async () => {
  const first = await create(ask('How warm is it? [weather]'));
  assert.equal(first.stop_reason, 'tool_use');
  const [call] = calls(first);
  assert.deepEqual([call.name, call.input], ['get_weather', { city: 'Paris', unit: 'celsius' }]);
  for (const content of ['19 degrees', [{ type: 'text', text: '19 degrees' }]]) {
    const messages = [
      ...user('How warm is it? [weather]'),
      { role: 'assistant', content: first.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content }] },
    ];
    const last = await create(ask('', { messages }));
    assert.equal(last.stop_reason, 'end_turn');
    assert.equal(last.content[0].text, 'It is 19 degrees in Paris.');
    assert.ok(last.usage.cache_read_input_tokens > 0);
  }
});

test('arguments flow in pieces that join to the input', needsScript, async () => {
  const answer = await raw('POST', '/v1/messages', {
    body: ask('[long call]', { tools: undefined, max_tokens: 300, stream: true }),
  });
  const pieces = frames(answer.text)
    .filter((f) => f.json.delta?.type === 'input_json_delta')
    .map((f) => f.json.delta.partial_json);
  assert.ok(pieces.length > 3, `only ${pieces.length} deltas`);
  const whole = await create(ask('[long call]', { tools: undefined, max_tokens: 300 }));
  assert.deepEqual(JSON.parse(pieces.join('')), calls(whole)[0].input);
  const seen = [];
  const stream = anthropic.messages.stream(ask('[long call]', { tools: undefined, max_tokens: 300 }));
  stream.on('inputJson', (partial) => seen.push(partial));
  const final = await stream.finalMessage();
  assert.deepEqual(calls(final)[0].input, calls(whole)[0].input);
  assert.ok(seen.length > 3);
});

test('a call without arguments has the empty object', needsScript, async () => {
  for (const message of [
    await create(ask('[empty call]')),
    await anthropic.messages.stream(ask('[empty call]')).finalMessage(),
  ]) {
    assert.deepEqual(calls(message)[0].input, {});
  }
});

test('two calls are two blocks with ids of their own', needsScript, async () => {
  const message = await anthropic.messages.stream(ask('[two calls]')).finalMessage();
  assert.deepEqual(
    calls(message).map((c) => c.input.city),
    ['Paris', 'Rome'],
  );
  assert.equal(new Set(calls(message).map((c) => c.id)).size, 2);
  assert.equal(message.stop_reason, 'tool_use');
});

test('tool_choice any always calls some tool', async () => {
  for (const stream of [false, true]) {
    const body = ask('Hello there.', { tool_choice: { type: 'any', ...once } });
    const message = stream ? await anthropic.messages.stream(body).finalMessage() : await create(body);
    assert.equal(message.stop_reason, 'tool_use', JSON.stringify(message.content));
    assert.ok(calls(message).length >= 1);
    assert.ok(['get_weather', 'get_time'].includes(calls(message)[0].name));
    fits(calls(message)[0]);
  }
});

test('tool_choice with a name always calls that tool', async () => {
  for (const name of ['get_weather', 'get_time']) {
    const message = await create(ask('Hello there. [weather]', { tool_choice: { type: 'tool', name, ...once } }));
    assert.equal(message.stop_reason, 'tool_use');
    assert.ok(calls(message).length >= 1);
    for (const call of calls(message)) assert.equal(call.name, name);
    fits(calls(message)[0]);
    if (name === 'get_weather' && calls(message)[0].input.unit !== undefined) {
      assert.ok(['celsius', 'fahrenheit'].includes(calls(message)[0].input.unit));
    }
  }
});

test('tool_choice none calls none', async () => {
  const message = await create(ask('Hello there. [weather]', { tool_choice: { type: 'none' } }));
  assert.equal(calls(message).length, 0);
  assert.notEqual(message.stop_reason, 'tool_use');
});

test('disable_parallel_tool_use leaves at most one call', async () => {
  for (const type of ['auto', 'any']) {
    const message = await create(ask('[two calls]', { tool_choice: { type, disable_parallel_tool_use: true } }));
    assert.ok(calls(message).length <= 1);
    if (scripted || type === 'any') assert.equal(calls(message).length, 1);
  }
});

test('tool_choice auto lets the model decide', async () => {
  const message = await create(ask('[count]', { tool_choice: { type: 'auto' } }));
  if (scripted) assert.equal(calls(message).length, 0);
  assert.ok(message.usage.output_tokens > 0);
});

test('a call that is cut by max_tokens is not offered to be run', needsScript, async () => {
  const message = await create(ask('[long call]', { tools: undefined, max_tokens: 6 }));
  assert.equal(message.stop_reason, 'max_tokens');
  const streamed = await anthropic.messages
    .stream(ask('[long call]', { tools: undefined, max_tokens: 6 }))
    .finalMessage();
  assert.equal(streamed.stop_reason, 'max_tokens');
});

test('results as text, blocks, error and empty are taken', async () => {
  const forms = [
    { content: 'plain' },
    { content: [{ type: 'text', text: 'block' }] },
    { content: 'no such city', is_error: true },
    {},
    { content: '' },
    { content: [] },
  ];
  for (const form of forms) {
    const messages = [
      ...user('How warm is it?'),
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 'toolu_a', name: 'get_weather', input: { city: 'Rome' } }],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_a', ...form },
          { type: 'text', text: 'Go on.' },
        ],
      },
    ];
    assert.equal((await create(ask('', { messages, max_tokens: 4 }))).role, 'assistant', JSON.stringify(form));
  }
});

test('an image in a tool result is replaced by a note for a text model', async () => {
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: onePixel } };
  const messages = [
    ...user('Look'),
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_a', name: 'get_weather', input: {} }] },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'toolu_a', content: [{ type: 'text', text: 'see' }, image] }],
    },
  ];
  assert.equal((await create(ask('', { messages, max_tokens: 4 }))).role, 'assistant');
});

test('server tools and extra tool fields are taken', async () => {
  const tools = [
    {
      ...weather,
      type: 'custom',
      strict: true,
      eager_input_streaming: true,
      input_examples: [{ city: 'Rome' }],
      allowed_callers: ['direct'],
      cache_control: { type: 'ephemeral' },
    },
    { type: 'web_search_20250305', name: 'web_search', max_uses: 3 },
    { type: 'no_such_tool_20300101', name: 'x' },
  ];
  assert.equal((await create(ask('Hi [count]', { tools, max_tokens: 4 }))).role, 'assistant');
});

test('the stream tells the tool name before its arguments', async () => {
  const answer = await raw('POST', '/v1/messages', {
    body: ask('Hello.', { tool_choice: { type: 'any', ...once }, stream: true }),
  });
  const all = frames(answer.text).filter((f) => f.event !== 'ping');
  const start = all.findIndex((f) => f.json.content_block?.type === 'tool_use');
  const delta = all.findIndex((f) => f.json.delta?.type === 'input_json_delta');
  assert.ok(start >= 0 && delta > start);
  assert.deepEqual(all[start].json.content_block.input, {});
  assert.ok(['get_weather', 'get_time'].includes(all[start].json.content_block.name));
});
