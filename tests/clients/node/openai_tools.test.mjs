// Tools through the official OpenAI client: calls, results, streamed arguments, every tool choice, every tool shape.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frames, model, needsScript, openai, raw, repeated, scripted, user, weatherSchema } from './common.mjs';

const weather = {
  type: 'function',
  function: { name: 'get_weather', description: 'The weather of a city', parameters: weatherSchema, strict: true },
};
const time = {
  type: 'function',
  function: {
    name: 'get_time',
    description: 'The time in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
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
const once = scripted ? {} : { parallel_tool_calls: false };
const create = (body) => openai.chat.completions.create(body);
const calls = (completion) => completion.choices[0].message.tool_calls ?? [];

test('call, result, final answer', needsScript, async () => {
  const first = await create(ask('How warm is it? [weather]'));
  assert.equal(first.choices[0].finish_reason, 'tool_calls');
  assert.equal(first.choices[0].message.content, null);
  const [call] = calls(first);
  assert.match(call.id, /^call_/);
  assert.deepEqual(
    [call.type, call.function.name, JSON.parse(call.function.arguments)],
    ['function', 'get_weather', { city: 'Paris', unit: 'celsius' }],
  );
  for (const content of ['19 degrees', [{ type: 'text', text: '19 degrees' }]]) {
    const messages = [
      ...user('How warm is it? [weather]'),
      first.choices[0].message,
      { role: 'tool', tool_call_id: call.id, content },
    ];
    const last = await create(ask('', { messages }));
    assert.equal(last.choices[0].message.content, 'It is 19 degrees in Paris.');
    assert.equal(last.choices[0].finish_reason, 'stop');
    assert.ok(last.usage.prompt_tokens_details.cached_tokens > 0);
  }
});

test('id, type and name once per index; arguments in pieces', needsScript, async () => {
  const answer = await raw('POST', '/v1/chat/completions', { body: ask('[two calls]', { stream: true }) });
  const deltas = frames(answer.text)
    .slice(0, -1)
    .flatMap((f) => f.json.choices[0].delta.tool_calls ?? []);
  for (const index of [0, 1]) {
    const mine = deltas.filter((d) => d.index === index);
    assert.equal(mine.filter((d) => d.id).length, 1);
    assert.equal(mine.filter((d) => d.type).length, 1);
    assert.equal(mine.filter((d) => d.function.name).length, 1);
    assert.ok(mine[0].id && mine[0].type === 'function' && mine[0].function.name === 'get_weather');
    assert.ok(mine.length > 2);
    assert.equal(JSON.parse(mine.map((d) => d.function.arguments).join('')).city, ['Paris', 'Rome'][index]);
  }
  const order = deltas.map((d) => d.index);
  assert.deepEqual(order, [...order].sort());
});

test('long arguments flow in several deltas', needsScript, async () => {
  const seen = [];
  const stream = openai.chat.completions.stream(ask('[long call]', { tools: undefined, max_tokens: 300 }));
  stream.on('chunk', (chunk) => seen.push(...(chunk.choices[0]?.delta.tool_calls ?? [])));
  const final = await stream.finalChatCompletion();
  assert.ok(seen.length > 5);
  const whole = await create(ask('[long call]', { tools: undefined, max_tokens: 300 }));
  assert.equal(calls(final)[0].function.arguments, calls(whole)[0].function.arguments);
  assert.ok(JSON.parse(calls(whole)[0].function.arguments).content.includes('é世'));
});

test('tool_choice required always calls some tool', async () => {
  for (const choice of ['required', 'any']) {
    for (const stream of [false, true]) {
      const body = ask('Hello there.', { tool_choice: choice, ...once });
      const completion = stream ? await openai.chat.completions.stream(body).finalChatCompletion() : await create(body);
      assert.equal(completion.choices[0].finish_reason, 'tool_calls', JSON.stringify(completion.choices));
      assert.ok(['get_weather', 'get_time'].includes(calls(completion)[0].function.name));
      assert.equal(typeof JSON.parse(calls(completion)[0].function.arguments).city, 'string');
    }
  }
});

test('a named tool_choice always calls that tool', async () => {
  for (const name of ['get_weather', 'get_time']) {
    const completion = await create(
      ask('Hello there. [weather]', { tool_choice: { type: 'function', function: { name } }, ...once }),
    );
    assert.equal(completion.choices[0].finish_reason, 'tool_calls');
    for (const call of calls(completion)) {
      assert.equal(call.function.name, name);
      assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
    }
  }
});

test('tool_choice none calls none', async () => {
  const completion = await create(ask('Hello there. [weather]', { tool_choice: 'none' }));
  assert.equal(calls(completion).length, 0);
  assert.ok(['stop', 'length'].includes(completion.choices[0].finish_reason));
});

test('allowed_tools keeps the others away', async () => {
  const tool_choice = {
    type: 'allowed_tools',
    allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'get_time' } }] },
  };
  const completion = await create(ask('[weather]', { tool_choice, ...once }));
  assert.equal(completion.choices[0].finish_reason, 'tool_calls');
  for (const call of calls(completion)) assert.equal(call.function.name, 'get_time');
});

test('parallel_tool_calls false leaves at most one call', async () => {
  for (const tool_choice of ['auto', 'required']) {
    const completion = await create(ask('[two calls]', { parallel_tool_calls: false, tool_choice }));
    assert.ok(calls(completion).length <= 1);
    if (scripted || tool_choice === 'required') assert.equal(calls(completion).length, 1);
  }
});

test('flat and nested definitions give the same prompt', async () => {
  const flat = [weather, time].map(({ function: f }) => ({ type: 'function', ...f }));
  const nested = await create(ask('Hello [count]', { max_tokens: 1 }));
  const other = await create(ask('Hello [count]', { max_tokens: 1, tools: flat }));
  assert.equal(other.usage.prompt_tokens, nested.usage.prompt_tokens);
  assert.ok(repeated(other.usage.prompt_tokens_details.cached_tokens, other.usage.prompt_tokens));
});

test('a custom tool answers with free text', needsScript, async () => {
  const tools = [
    {
      type: 'custom',
      custom: {
        name: 'apply_patch',
        description: 'Applies a patch',
        format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: /.+/' } },
      },
    },
  ];
  const whole = await create(ask('[patch]', { tools }));
  assert.deepEqual(
    [calls(whole)[0].type, calls(whole)[0].custom],
    ['custom', { name: 'apply_patch', input: '*** Begin Patch\n*** End Patch' }],
  );
  const answer = await raw('POST', '/v1/chat/completions', { body: ask('[patch]', { tools, stream: true }) });
  const deltas = frames(answer.text)
    .slice(0, -1)
    .flatMap((f) => f.json.choices[0].delta.tool_calls ?? []);
  assert.equal(deltas.map((d) => d.custom.input).join(''), '*** Begin Patch\n*** End Patch');
  const messages = [
    ...user('[patch]'),
    whole.choices[0].message,
    { role: 'tool', tool_call_id: calls(whole)[0].id, content: 'done' },
  ];
  assert.equal((await create(ask('', { messages, tools, max_tokens: 4 }))).object, 'chat.completion');
});

test('the older functions are served', needsScript, async () => {
  const functions = [weather.function];
  const body = { model, max_tokens: 60, messages: user('[weather]'), functions };
  const { message, finish_reason } = (await create(body)).choices[0];
  assert.equal(finish_reason, 'function_call');
  assert.deepEqual(
    [message.function_call.name, JSON.parse(message.function_call.arguments).city],
    ['get_weather', 'Paris'],
  );
  const messages = [
    ...user('[weather]'),
    { role: 'assistant', content: null, function_call: message.function_call },
    { role: 'function', name: 'get_weather', content: '19 degrees' },
  ];
  assert.equal((await create({ ...body, messages })).choices[0].message.content, 'It is 19 degrees in Paris.');
});

test("the library's own tool loop comes to an end", needsScript, async () => {
  const asked = [];
  const runner = openai.chat.completions.runTools({
    model,
    messages: user('[weather]'),
    max_tokens: 100,
    tools: [
      {
        type: 'function',
        function: {
          name: 'get_weather',
          description: 'The weather',
          parameters: weatherSchema,
          parse: JSON.parse,
          function: (input) => {
            asked.push(input);
            return '19 degrees';
          },
        },
      },
    ],
  });
  assert.equal(await runner.finalContent(), 'It is 19 degrees in Paris.');
  assert.deepEqual(asked, [{ city: 'Paris', unit: 'celsius' }]);
});
