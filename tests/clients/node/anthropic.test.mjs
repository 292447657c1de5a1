// Anthropic Messages through the official client: whole and streamed answers, endings, reasoning, caching, counting.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import {
  anthropic,
  filler,
  frames,
  fresh,
  goneOn,
  idle,
  isCut,
  isPerson,
  key,
  ledgerRow,
  longPrompt,
  model,
  needsScript,
  personSchema,
  raw,
  repeated,
  scripted,
  until,
  url,
  user,
} from './common.mjs';

const ask = (content, more = {}) => ({ model, max_tokens: 24, messages: user(content), temperature: 0, ...more });
// Sampling parameters are not typed in this client's newest version; the server takes them in every version.
const create = (body, options) => anthropic.messages.create(body, options);
const promptOf = (usage) => usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;
const textOf = (message) =>
  message.content
    .filter((b) => b.type === 'text')
    .map((b) => b.text)
    .join('');

// What must be equal between the two ways of asking: all but the ids, and how the prompt was split by the cache.
function essence(message) {
  const content = message.content.map((block) => {
    if (block.type === 'tool_use') return { type: block.type, name: block.name, input: block.input };
    if (block.type === 'thinking') return { type: block.type, thinking: block.thinking, signature: block.signature };
    return { type: block.type, text: block.text };
  });
  const { role, type, model: name, stop_reason, stop_sequence, stop_details, container } = message;
  return {
    role,
    type,
    name,
    stop_reason,
    stop_sequence,
    stop_details,
    container,
    content,
    prompt: promptOf(message.usage),
    output: message.usage.output_tokens,
    thinking: message.usage.output_tokens_details.thinking_tokens,
  };
}

async function rawFrames(body) {
  const answer = await raw('POST', '/v1/messages', { body: { ...body, stream: true } });
  assert.equal(answer.status, 200, answer.text);
  return frames(answer.text);
}

test('a whole answer has every key', async () => {
  const message = await create(ask('Say hello. [count]'));
  assert.deepEqual(
    Object.keys(message).filter((k) => !k.startsWith('_')),
    [
      'id',
      'type',
      'role',
      'model',
      'content',
      'stop_reason',
      'stop_sequence',
      'stop_details',
      'container',
      'diagnostics',
      'usage',
    ],
  );
  assert.match(message.id, /^msg_/);
  assert.equal(message.model, model);
  assert.deepEqual(Object.keys(message.usage), [
    'input_tokens',
    'cache_creation_input_tokens',
    'cache_read_input_tokens',
    'cache_creation',
    'output_tokens',
    'output_tokens_details',
    'server_tool_use',
    'service_tier',
    'speed',
    'inference_geo',
  ]);
  assert.ok(message.usage.output_tokens > 0 && promptOf(message.usage) > 0);
  assert.ok(['end_turn', 'max_tokens'].includes(message.stop_reason));
});

for (const mark of [
  '[count]',
  '[reasoning]',
  '[weather]',
  '[text and call]',
  '[empty call]',
  '[long call]',
  '[split]',
]) {
  test(
    `finalMessage() of a stream equals the whole reply: ${mark}`,
    mark === '[count]' ? {} : needsScript,
    async () => {
      const body = ask(`Please go on. ${mark}`, { max_tokens: scripted ? 200 : 24 });
      const whole = await create(body);
      const streamed = await anthropic.messages.stream(body).finalMessage();
      assert.deepEqual(essence(streamed), essence(whole));
      assert.match(streamed.id, /^msg_/);
    },
  );
}

for (const mark of [
  '[count]',
  '[reasoning]',
  '[reasoning and call]',
  '[two calls]',
  '[text and call]',
  '[empty call]',
  '[long call]',
]) {
  test(`the events come in order, one block at a time: ${mark}`, mark === '[count]' ? {} : needsScript, async () => {
    const all = await rawFrames(ask(`Order, please. ${mark}`, { max_tokens: scripted ? 200 : 8 }));
    for (const frame of all) {
      assert.equal(frame.event, frame.json.type);
      assert.equal(frame.lines.length, 2);
    }
    const names = all.map((f) => f.event).filter((name) => name !== 'ping');
    assert.equal(names[0], 'message_start');
    assert.deepEqual(names.slice(-2), ['message_delta', 'message_stop']);
    let open = null;
    let next = 0;
    for (const { json } of all) {
      if (json.type === 'content_block_start') {
        assert.equal(open, null);
        assert.equal(json.index, next++);
        open = { index: json.index, block: json.content_block, deltas: [], text: '' };
      } else if (json.type === 'content_block_delta') {
        assert.equal(json.index, open.index);
        open.deltas.push(json.delta.type);
        open.text += json.delta.partial_json ?? '';
      } else if (json.type === 'content_block_stop') {
        assert.equal(json.index, open.index);
        if (open.block.type === 'thinking') {
          assert.equal(open.deltas.at(-1), 'signature_delta');
          assert.equal(open.deltas.filter((d) => d === 'signature_delta').length, 1);
        }
        if (open.block.type === 'tool_use' && open.text) assert.equal(typeof JSON.parse(open.text), 'object');
        open = null;
      }
    }
    assert.equal(open, null);
    assert.ok(next > 0);
    const first = all.find((f) => f.event === 'message_start').json.message;
    assert.deepEqual(first.content, []);
    assert.equal(first.stop_reason, null);
    assert.equal(typeof first.usage.input_tokens, 'number');
    const last = all.at(-2).json;
    assert.equal(promptOf(last.usage), promptOf(first.usage));
    assert.ok(last.usage.output_tokens > 0);
  });
}

test('a code point is never cut between deltas', needsScript, async () => {
  const texts = (await rawFrames(ask('[split]')))
    .filter((f) => f.json.delta?.type === 'text_delta')
    .map((f) => f.json.delta.text);
  assert.equal(texts.join(''), 'café 🦆!');
  for (const text of texts) assert.ok(!text.includes('\ufffd') && text.isWellFormed());
});

test('max_tokens ends with max_tokens', async () => {
  const message = await create(ask('Count as far as you can. [count]', { max_tokens: 3 }));
  assert.equal(message.stop_reason, 'max_tokens');
  assert.equal(message.usage.output_tokens, 3);
  if (scripted) assert.equal(textOf(message), 'one two three');
});

test('a stop sequence is cut out and named', needsScript, async () => {
  for (const stream of [false, true]) {
    const body = ask('[count]', { stop_sequences: ['never', 'r five s'] });
    const message = stream ? await anthropic.messages.stream(body).finalMessage() : await create(body);
    assert.equal(message.stop_reason, 'stop_sequence');
    assert.equal(message.stop_sequence, 'r five s');
    assert.equal(textOf(message), 'one two three fou');
  }
});

test('a stop sequence cuts a real answer where it stands', async () => {
  const body = ask('Repeat after me: alpha beta gamma. [count]');
  const whole = textOf(await create(body));
  const stop = whole.slice(Math.floor(whole.length / 2), Math.floor(whole.length / 2) + 3);
  const cut = await create({ ...body, stop_sequences: [stop] });
  assert.equal(cut.stop_reason, 'stop_sequence');
  assert.equal(cut.stop_sequence, stop);
  assert.equal(textOf(cut), whole.slice(0, whole.indexOf(stop)));
});

test('the same request at temperature 0 gets the same answer', async () => {
  const body = ask('Name a colour. [count]');
  assert.deepEqual(essence(await create(body)), essence(await create(body)));
});

test('output_config.format makes JSON that fits the schema', async () => {
  const message = await create(
    ask('Describe one person as JSON.', {
      max_tokens: 300,
      output_config: { format: { type: 'json_schema', schema: personSchema } },
    }),
  );
  if (isCut(message.stop_reason, message.usage.output_tokens, 300, textOf(message))) return;
  assert.equal(message.stop_reason, 'end_turn', JSON.stringify(message));
  assert.ok(isPerson(JSON.parse(textOf(message))), textOf(message));
});

test('count_tokens equals the usage sum, cold and warm, and leaves the cache alone', async () => {
  const content = `${fresh()} ${filler(60)}`;
  const tools = [{ name: 'get_weather', description: 'Weather', input_schema: { type: 'object' } }];
  const body = { model, system: 'Be brief.', messages: user(content), tools };
  const { input_tokens } = await anthropic.messages.countTokens(body);
  const cold = await create({ ...body, max_tokens: 2 });
  const warm = await create({ ...body, max_tokens: 2 });
  assert.equal(promptOf(cold.usage), input_tokens);
  assert.equal(promptOf(warm.usage), input_tokens);
  // Tools stand before the first words, so some prompts share their beginning; the rest must be cold.
  assert.ok(cold.usage.cache_read_input_tokens < input_tokens / 2, JSON.stringify(cold.usage));
  assert.ok(warm.usage.cache_read_input_tokens > input_tokens / 2, JSON.stringify(warm.usage));
  assert.equal((await anthropic.messages.countTokens(body)).input_tokens, input_tokens);
});

test('the second identical call reads the cache', async () => {
  const body = ask(longPrompt(), { max_tokens: 2 });
  const cold = await create(body);
  const warm = await create(body);
  assert.ok(repeated(warm.usage.cache_read_input_tokens, promptOf(warm.usage)), JSON.stringify(warm.usage));
  assert.ok(warm.usage.cache_read_input_tokens > cold.usage.cache_read_input_tokens);
});

test('max_tokens 0 reads the prompt, says nothing and warms the cache', async () => {
  const body = ask(longPrompt(), { max_tokens: 0 });
  const warmed = await create(body);
  assert.deepEqual(warmed.content, []);
  assert.equal(warmed.stop_reason, 'max_tokens');
  assert.equal(warmed.usage.output_tokens, 0);
  const next = await create({ ...body, max_tokens: 2 });
  assert.ok(repeated(next.usage.cache_read_input_tokens, promptOf(next.usage)), JSON.stringify(next.usage));
  const streamed = await anthropic.messages.stream(body).finalMessage();
  assert.deepEqual([streamed.content, streamed.stop_reason, streamed.usage.output_tokens], [[], 'max_tokens', 0]);
});

test('the billing line of a coding client changes neither prompt nor cache', async () => {
  const text = longPrompt();
  const system = (line) => [
    ...(line ? [{ type: 'text', text: `x-anthropic-billing-header: cc_version=2.1.331.${line}; cch=${line};` }] : []),
    { type: 'text', text },
  ];
  const first = await create(ask('Hello', { system: system('aaa'), max_tokens: 2 }));
  for (const line of ['bbb', undefined]) {
    const next = await create(ask('Hello', { system: system(line), max_tokens: 2 }));
    assert.equal(promptOf(next.usage), promptOf(first.usage));
    assert.ok(repeated(next.usage.cache_read_input_tokens, promptOf(next.usage)), JSON.stringify(next.usage));
  }
});

test('moving cache_control marks changes neither prompt nor cache', async () => {
  const text = longPrompt();
  const block = (mark) => ({
    type: 'text',
    text,
    ...(mark ? { cache_control: { type: 'ephemeral', ttl: '1h' } } : {}),
  });
  const first = await create(ask([block(true), { type: 'text', text: 'Hello' }], { max_tokens: 2 }));
  const next = await create(
    ask([block(false), { type: 'text', text: 'Hello', cache_control: { type: 'ephemeral' } }], { max_tokens: 2 }),
  );
  assert.equal(promptOf(next.usage), promptOf(first.usage));
  assert.ok(repeated(next.usage.cache_read_input_tokens, promptOf(next.usage)), JSON.stringify(next.usage));
});

test('system messages inside the conversation stay in place and keep the prefix', async () => {
  const messages = [{ role: 'user', content: longPrompt() }];
  const first = await create({ model, max_tokens: 4, temperature: 0, system: 'Be brief.', messages });
  messages.push(
    { role: 'assistant', content: textOf(first) },
    { role: 'system', content: '<total_tokens>9000 tokens left</total_tokens>' },
    { role: 'user', content: 'Go on.' },
  );
  const second = await create({ model, max_tokens: 4, temperature: 0, system: 'Be brief.', messages });
  assert.ok(
    goneOn(second.usage.cache_read_input_tokens, promptOf(first.usage)),
    JSON.stringify([first.usage, second.usage]),
  );
  messages.push(
    { role: 'assistant', content: textOf(second) },
    { role: 'user', content: 'Go on.' },
    { role: 'system', content: [{ type: 'text', text: 'A reminder at the end.' }] },
  );
  const third = await create({ model, max_tokens: 4, temperature: 0, system: 'Be brief.', messages });
  assert.ok(
    goneOn(third.usage.cache_read_input_tokens, promptOf(second.usage)),
    JSON.stringify([second.usage, third.usage]),
  );
});

test('a system message in the middle is read', needsScript, async () => {
  const messages = [
    ...user('Hello'),
    { role: 'assistant', content: 'Hello.' },
    { role: 'system', content: 'Always speak of ducks.' },
    { role: 'user', content: 'And now?' },
  ];
  assert.equal(textOf(await create({ model, max_tokens: 9, messages })), 'Quack.');
});

test('every form of thinking is taken; disabled leaves none', async () => {
  for (const thinking of [
    { type: 'adaptive' },
    { type: 'enabled', budget_tokens: 1024 },
    { type: 'between_tools' },
    { type: 'disabled' },
  ]) {
    const message = await create(ask('Think. [reasoning]', { thinking, max_tokens: scripted ? 2048 : 24 }));
    const kinds = message.content.map((block) => block.type);
    if (scripted && thinking.type !== 'disabled') assert.deepEqual(kinds, ['thinking', 'text']);
    if (thinking.type === 'disabled') assert.ok(!kinds.includes('thinking'));
  }
});

test('a thinking block is signed and may come back, also altered', needsScript, async () => {
  const thinking = { type: 'enabled', budget_tokens: 1024 };
  const first = await create(
    ask('[reasoning and call]', {
      thinking,
      max_tokens: 2048,
      tools: [{ name: 'get_weather', input_schema: { type: 'object' } }],
    }),
  );
  assert.deepEqual(
    first.content.map((b) => b.type),
    ['thinking', 'tool_use'],
  );
  assert.ok(first.content[0].signature.length > 0);
  assert.ok(first.usage.output_tokens_details.thinking_tokens > 0);
  const prompts = new Set();
  for (const signature of [first.content[0].signature, 'made elsewhere', '']) {
    const messages = [
      ...user('[reasoning and call]'),
      { role: 'assistant', content: [{ ...first.content[0], signature }, first.content[1]] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: first.content[1].id, content: '19 degrees' }] },
    ];
    const next = await create({
      model,
      max_tokens: 2048,
      thinking,
      messages,
      tools: [{ name: 'get_weather', input_schema: { type: 'object' } }],
    });
    assert.equal(textOf(next), 'It is 19 degrees in Paris.');
    prompts.add(promptOf(next.usage));
  }
  const redacted = [
    ...user('[count]'),
    {
      role: 'assistant',
      content: [
        { type: 'redacted_thinking', data: 'b64' },
        { type: 'text', text: 'one' },
      ],
    },
    ...user('[count]'),
  ];
  assert.equal((await create({ model, max_tokens: 9, messages: redacted })).role, 'assistant');
  assert.equal(prompts.size, 1);
});

test('display omitted hides the thinking and keeps its signature', needsScript, async () => {
  const body = ask('[reasoning]', {
    thinking: { type: 'enabled', budget_tokens: 1024, display: 'omitted' },
    max_tokens: 2048,
  });
  const whole = await create(body);
  const streamed = await anthropic.messages.stream(body).finalMessage();
  for (const message of [whole, streamed]) {
    assert.equal(message.content[0].thinking, '');
    assert.ok(message.content[0].signature.length > 0);
  }
});

test('a prompt that leaves little room ends at the window, not with an error', needsScript, async () => {
  const count = async (words) =>
    (await anthropic.messages.countTokens({ model, messages: user(`[window] ${filler(words)}`) })).input_tokens;
  let words = 100;
  while ((await count(words + 50)) < 8000) words += 50;
  const message = await create(ask(`[window] ${filler(words)}`, { max_tokens: 32000 }), { timeout: 60_000 });
  assert.equal(message.stop_reason, 'model_context_window_exceeded');
  assert.equal(promptOf(message.usage) + message.usage.output_tokens, 8192);
});

test('both versions, both key headers and unknown betas are served alike', async () => {
  const body = ask('Versions. [count]', {
    max_tokens: 4,
    unknown_field: { a: [1] },
    context_management: { edits: [] },
    service_tier: 'auto',
    speed: 'fast',
  });
  const seen = [];
  for (const version of ['2023-06-01', '2026-10-21', undefined]) {
    for (const auth of [
      { authorization: `Bearer ${key}` },
      { 'x-api-key': key },
      { 'api-key': key },
      { authorization: `bearer ${key}`, 'x-api-key': key },
    ]) {
      const headers = {
        ...auth,
        'anthropic-beta': 'no-such-beta-2030-01-01,another',
        'x-stainless-lang': 'js',
        'x-claude-code-session-id': 'a b',
      };
      if (version) headers['anthropic-version'] = version;
      const answer = await raw('POST', '/v1/messages?beta=true&x=1', { body, headers, auth: false });
      assert.equal(answer.status, 200, answer.text);
      seen.push(JSON.stringify(essence(answer.json())));
    }
  }
  assert.equal(new Set(seen).size, 1);
  const older = new Anthropic({
    baseURL: url,
    apiKey: null,
    authToken: null,
    maxRetries: 0,
    defaultHeaders: { 'x-api-key': key, 'anthropic-version': '2023-06-01', authorization: null },
  });
  assert.equal((await older.messages.create(body)).role, 'assistant');
  assert.equal((await anthropic.beta.messages.create({ ...body, betas: ['no-such-beta'] })).role, 'assistant');
});

test('a model may be asked for by its alias and with a window suffix', async () => {
  for (const name of [model, `${model}[1m]`, `anthropic-local/${model}`, 'default']) {
    const message = await create({ ...ask('Hi [count]', { max_tokens: 2 }), model: name });
    assert.equal(message.model, name);
  }
});

test('consecutive user turns and a prefilled answer are taken', async () => {
  const messages = [
    ...user('Hello. [count]'),
    ...user('Are you there? [count]'),
    { role: 'assistant', content: 'Yes, I' },
  ];
  assert.equal((await create({ model, max_tokens: 4, messages })).role, 'assistant');
});

test('diagnostics tell why the cache could not be used', async () => {
  const system = filler(60);
  const tool = { name: 'look', description: 'Looks.', input_schema: { type: 'object' } };
  const turn = (previous, more = {}) => ({
    model,
    max_tokens: 2,
    system,
    tools: [tool],
    messages: user('Hello [count]'),
    diagnostics: { previous_message_id: previous },
    ...more,
  });
  const reason = (message) => message.diagnostics.cache_miss_reason;
  const first = await create(turn(null));
  assert.equal(reason(first), null);
  const longer = [...user('Hello [count]'), { role: 'assistant', content: 'a' }, ...user('On [count]')];
  assert.equal(reason(await create(turn(first.id, { messages: longer }))), null);
  const edited = [{ ...tool, description: 'Looks again.' }];
  const changed = reason(await create(turn(first.id, { tools: edited })));
  assert.equal(changed.type, 'tools_changed');
  assert.ok(changed.cache_missed_input_tokens > 0);
  const streamed = await anthropic.messages.stream(turn(first.id, { system: `New. ${system}` })).finalMessage();
  assert.equal(reason(streamed).type, 'system_changed');
  assert.ok(reason(streamed).cache_missed_input_tokens > 0);
  assert.equal(reason(await create(turn(first.id, { messages: user('Other [count]') }))).type, 'messages_changed');
  assert.deepEqual(reason(await create(turn('msg_none'))), { type: 'previous_message_not_found' });
  assert.equal((await create(ask('Hello [count]', { max_tokens: 2 }))).diagnostics, null);
});

test('eight at once all get their own whole answer', async () => {
  const tags = Array.from({ length: 8 }, (_, i) => `tag${i}`);
  const answers = await Promise.all(
    tags.map((tag) => anthropic.messages.stream(ask(`${tag} [echo]`, { max_tokens: 8 })).finalMessage()),
  );
  assert.equal(new Set(answers.map((a) => a.id)).size, 8);
  for (const [i, answer] of answers.entries()) {
    assert.ok(answer.usage.output_tokens > 0);
    if (scripted) assert.equal(textOf(answer), `tag${i} [echo]`);
  }
});

test('an aborted stream frees the server, is settled as such, and the next request works', async () => {
  await idle();
  const stream = anthropic.messages.stream(ask('Tell me a very long story. [long]', { max_tokens: 2000 }));
  let id;
  await new Promise((resolve, reject) => {
    stream.on('text', resolve);
    stream.on('error', reject);
  });
  id = stream.request_id ?? stream.response?.headers.get('request-id');
  stream.abort();
  await assert.rejects(stream.finalMessage());
  await idle();
  const row = await ledgerRow(id);
  assert.equal(row.end_reason, 'client_abort');
  assert.ok(row.usage.output >= 1 && row.usage.output < 2000, JSON.stringify(row.usage));
  assert.equal((await create(ask('Hello [count]', { max_tokens: 2 }))).role, 'assistant');
});

test('an aborted whole answer frees the server too', async () => {
  await idle();
  const stop = new AbortController();
  const asked = create(ask('Tell me a very long story. [long]', { max_tokens: 2000 }), { signal: stop.signal });
  const refused = assert.rejects(asked);
  await until((now) => now.requests_running > 0, 'the start of the request');
  stop.abort();
  await refused;
  await idle();
});
