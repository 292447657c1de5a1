// OpenAI Chat Completions through the official client: whole and streamed answers, endings, sampling, caching.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  frames,
  idle,
  isCut,
  isPerson,
  ledgerRow,
  longPrompt,
  model,
  needsScript,
  openai,
  personSchema,
  raw,
  repeated,
  scripted,
  until,
  user,
} from './common.mjs';

const ask = (content, more = {}) => ({ model, max_tokens: 24, messages: user(content), temperature: 0, ...more });
const create = (body, options) => openai.chat.completions.create(body, options);
const textOf = (completion) => completion.choices[0].message.content;

function essence(completion) {
  const [choice] = completion.choices;
  const { role, content, refusal, tool_calls } = choice.message;
  return {
    object: completion.object,
    model: completion.model,
    role,
    content: content || null,
    refusal: refusal ?? null,
    finish: choice.finish_reason,
    calls: tool_calls?.map((call) => [call.type, call.function.name, call.function.arguments]) ?? null,
    prompt: completion.usage.prompt_tokens,
    output: completion.usage.completion_tokens,
    total: completion.usage.total_tokens,
  };
}

async function rawFrames(body) {
  const answer = await raw('POST', '/v1/chat/completions', { body: { ...body, stream: true } });
  assert.equal(answer.status, 200, answer.text);
  return frames(answer.text).filter((frame) => frame.data !== undefined); // without comments
}

test('a whole answer has the usual shape', async () => {
  const completion = await create(ask('Say hello. [count]'));
  assert.match(completion.id, /^chatcmpl-/);
  assert.equal(completion.object, 'chat.completion');
  assert.ok(Math.abs(completion.created - Date.now() / 1000) < 600);
  assert.equal(completion.choices.length, 1);
  const [choice] = completion.choices;
  assert.equal(choice.index, 0);
  assert.equal(choice.message.role, 'assistant');
  assert.equal(choice.message.refusal, null);
  assert.equal(choice.logprobs, null);
  assert.ok(['stop', 'length'].includes(choice.finish_reason));
  const { usage } = completion;
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  assert.equal(usage.prompt_tokens_details.cached_tokens, usage.cache_read_input_tokens);
  assert.equal(usage.completion_tokens_details.reasoning_tokens, 0);
});

for (const mark of [
  '[count]',
  '[weather]',
  '[two calls]',
  '[text and call]',
  '[long call]',
  '[split]',
  '[empty call]',
]) {
  test(
    `finalChatCompletion() of a stream equals the whole reply: ${mark}`,
    mark === '[count]' ? {} : needsScript,
    async () => {
      const body = ask(`Please go on. ${mark}`, { max_tokens: scripted ? 200 : 24 });
      const whole = await create(body);
      const streamed = await openai.chat.completions
        .stream({ ...body, stream_options: { include_usage: true } })
        .finalChatCompletion();
      assert.deepEqual(essence(streamed), essence(whole));
    },
  );
}

for (const include of [true, false]) {
  test(`chunks: role first, one finish, usage, [DONE]; include_usage ${include}`, async () => {
    const all = await rawFrames(
      ask('Hello [count]', include ? { stream_options: { include_usage: true, include_obfuscation: false } } : {}),
    );
    assert.equal(all.at(-1).data, '[DONE]');
    const chunks = all.slice(0, -1).map((f) => f.json);
    for (const frame of all) assert.equal(frame.event, undefined);
    assert.deepEqual(chunks[0].choices[0].delta, { role: 'assistant', content: '' });
    const last = include ? chunks.at(-2) : chunks.at(-1);
    assert.deepEqual(last.choices[0].delta, {});
    assert.ok(['stop', 'length'].includes(last.choices[0].finish_reason));
    if (include) {
      // Once: there are clients that add up the usage of all chunks.
      assert.equal(last.usage, null);
      assert.deepEqual(chunks.at(-1).choices, []);
      assert.ok(chunks.at(-1).usage.total_tokens > 0);
    } else {
      assert.ok(last.usage.total_tokens > 0);
    }
    const early = include ? chunks.slice(0, -2) : chunks.slice(0, -1);
    for (const chunk of early) {
      assert.equal(chunk.choices[0].finish_reason, null);
      assert.ok(include ? chunk.usage === null : !('usage' in chunk));
    }
    for (const chunk of chunks) {
      assert.equal(chunk.object, 'chat.completion.chunk');
      assert.equal(chunk.id, chunks[0].id);
      assert.equal(chunk.model, model);
      assert.ok(Array.isArray(chunk.choices));
    }
  });
}

test('reasoning has a field of its own and is counted', needsScript, async () => {
  const completion = await create(ask('[reasoning]', { max_tokens: 100, reasoning_effort: 'high' }));
  assert.equal(completion.choices[0].message.reasoning_content, 'Two and two make four.');
  assert.equal(textOf(completion), 'The answer is 4.');
  assert.equal(completion.usage.completion_tokens_details.reasoning_tokens, 5);
  const chunks = (await rawFrames(ask('[reasoning]', { max_tokens: 100 })))
    .slice(0, -1)
    .map((f) => f.json.choices[0].delta);
  assert.equal(chunks.map((d) => d.reasoning_content ?? '').join(''), 'Two and two make four.');
  assert.equal(chunks.map((d) => d.content ?? '').join(''), 'The answer is 4.');
  const off = await create(ask('[reasoning]', { max_tokens: 100, reasoning_effort: 'none' }));
  assert.equal(off.choices[0].message.reasoning_content, undefined);
  const back = [
    ...user('[reasoning]'),
    { role: 'assistant', content: 'The answer is 4.', reasoning_content: 'Two and two make four.' },
    ...user('[count]'),
  ];
  assert.equal((await create({ model, max_tokens: 4, messages: back })).choices[0].message.role, 'assistant');
});

test('max_tokens, max_completion_tokens and neither', async () => {
  for (const limit of [
    { max_tokens: 3 },
    { max_completion_tokens: 3, max_tokens: undefined },
    { max_completion_tokens: 3, max_tokens: 20 },
  ]) {
    const completion = await create(ask('Count far. [count]', limit));
    assert.equal(completion.choices[0].finish_reason, 'length');
    assert.equal(completion.usage.completion_tokens, 3);
  }
  if (scripted) {
    const free = await create(ask('[count]', { max_tokens: undefined }));
    assert.equal(free.choices[0].finish_reason, 'stop');
    assert.equal(free.usage.completion_tokens, 10);
  }
});

test('stop strings are cut out, one or several, across tokens', needsScript, async () => {
  for (const [stop, left] of [
    ['three four', 'one two '],
    [['x', 'ee fo'], 'one two thr'],
    [['ten', 'nine'], 'one two three four five six seven eight '],
  ]) {
    const completion = await create(ask('[count]', { stop }));
    assert.equal(textOf(completion), left);
    assert.equal(completion.choices[0].finish_reason, 'stop');
    const streamed = await openai.chat.completions.stream(ask('[count]', { stop })).finalChatCompletion();
    assert.equal(textOf(streamed), left);
  }
});

test('a stop string cuts a real answer where it stands', async () => {
  const whole = textOf(await create(ask('Repeat after me: alpha beta gamma. [count]')));
  const stop = whole.slice(Math.floor(whole.length / 2), Math.floor(whole.length / 2) + 3);
  const cut = await create(ask('Repeat after me: alpha beta gamma. [count]', { stop }));
  assert.equal(textOf(cut), whole.slice(0, whole.indexOf(stop)));
});

test('the same seed gives the same answer', async () => {
  const body = ask('Tell me something. [count]', { temperature: 1, seed: 7, top_p: 0.95 });
  assert.equal(textOf(await create(body)), textOf(await create(body)));
});

test('log-probabilities cover the text, with as many alternatives as asked', async () => {
  const body = ask('Say hello. [count]', { logprobs: true, top_logprobs: 3, max_tokens: 6 });
  const whole = await create(body);
  const tokens = whole.choices[0].logprobs.content;
  // A code point may be several tokens, and the limit may cut one; the bytes tell.
  const bytes = Buffer.from(tokens.flatMap((t) => t.bytes));
  assert.equal(bytes.subarray(0, Buffer.byteLength(textOf(whole))).toString(), textOf(whole));
  assert.ok(bytes.length - Buffer.byteLength(textOf(whole)) < 4);
  for (const token of tokens) {
    assert.ok(token.logprob <= 0);
    assert.equal(token.top_logprobs.length, 3);
    assert.equal(Buffer.from(token.bytes).toString(), token.token);
    const values = token.top_logprobs.map((t) => t.logprob);
    assert.deepEqual(
      values,
      [...values].sort((a, b) => b - a),
    );
  }
  const streamed = await openai.chat.completions.stream(body).finalChatCompletion();
  assert.deepEqual(
    streamed.choices[0].logprobs.content.map((t) => [t.token, t.logprob.toFixed(3)]),
    tokens.map((t) => [t.token, t.logprob.toFixed(3)]),
  );
  const plain = await create(ask('Say hello. [count]', { logprobs: true, max_tokens: 2 }));
  assert.deepEqual(plain.choices[0].logprobs.content[0].top_logprobs, []);
});

test('response_format json_schema makes JSON that fits the schema', async () => {
  const response_format = { type: 'json_schema', json_schema: { name: 'person', strict: true, schema: personSchema } };
  const completion = await create(ask('Describe one person as JSON.', { max_tokens: 300, response_format }));
  const [{ finish_reason }] = completion.choices;
  if (isCut(finish_reason, completion.usage.completion_tokens, 300, textOf(completion))) return;
  assert.equal(finish_reason, 'stop');
  assert.ok(isPerson(JSON.parse(textOf(completion))), textOf(completion));
  const parsed = await openai.chat.completions.parse(
    ask('Describe one person as JSON.', { max_tokens: 300, response_format }),
  );
  assert.ok(parsed.choices[0].message.content.length > 2);
});

test('response_format json_object makes an object', async () => {
  const completion = await create(
    ask('Answer in JSON: a colour.', { max_tokens: 200, response_format: { type: 'json_object' } }),
  );
  const [{ finish_reason }] = completion.choices;
  if (isCut(finish_reason, completion.usage.completion_tokens, 200, textOf(completion))) return;
  assert.equal(finish_reason, 'stop');
  const value = JSON.parse(textOf(completion));
  assert.ok(value !== null && typeof value === 'object' && !Array.isArray(value));
});

test('the second identical call reports nearly all of its prompt as cached', async () => {
  const body = ask(longPrompt(), { max_tokens: 2 });
  await create(body);
  const { usage } = await create(body);
  assert.ok(repeated(usage.prompt_tokens_details.cached_tokens, usage.prompt_tokens), JSON.stringify(usage));
  assert.ok(usage.prompt_tokens_details.cached_tokens <= usage.prompt_tokens);
});

test('prewarm reads the prompt and says nothing', async () => {
  const body = ask(longPrompt(), { max_tokens: 8 });
  const warmed = await create({ ...body, prompt_cache_options: { prewarm: true } });
  assert.equal(warmed.usage.completion_tokens, 0);
  const { usage } = await create(body);
  assert.ok(repeated(usage.prompt_tokens_details.cached_tokens, usage.prompt_tokens), JSON.stringify(usage));
});

test('the two surfaces share the cache', async () => {
  const content = longPrompt();
  await raw('POST', '/v1/messages', { body: { model, max_tokens: 2, messages: user(content) } });
  const { usage } = await create(ask(content, { max_tokens: 2 }));
  assert.ok(repeated(usage.prompt_tokens_details.cached_tokens, usage.prompt_tokens), JSON.stringify(usage));
});

test('developer and several system messages are taken anywhere', async () => {
  const messages = [
    { role: 'developer', content: 'Be brief.' },
    { role: 'system', content: 'Be kind.' },
    ...user('Hello'),
    { role: 'assistant', content: 'Hello.' },
    { role: 'system', content: [{ type: 'text', text: 'Always speak of ducks.' }] },
    ...user('And now?'),
    { role: 'developer', content: 'One word.' },
  ];
  const completion = await create({ model, max_tokens: 6, messages });
  if (scripted) assert.equal(textOf(completion), 'Quack.');
});

test('developer is system under another name', async () => {
  const count = async (role) =>
    (
      await create({
        model,
        max_tokens: 1,
        messages: [{ role, content: 'Be brief and kind.' }, ...user('Hello [count]')],
      })
    ).usage.prompt_tokens;
  assert.equal(await count('developer'), await count('system'));
});

test('content parts, null content and local extras are taken', async () => {
  const messages = [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Hello ', cache_control: { type: 'ephemeral' } },
        { type: 'text', text: '[count]', prompt_cache_breakpoint: { mode: 'explicit' } },
      ],
    },
    { role: 'assistant', content: null },
    ...user('Go on [count]'),
  ];
  const extras = {
    top_k: 5,
    min_p: 0.05,
    repeat_penalty: 1.1,
    chat_template_kwargs: { enable_thinking: false },
    cache_prompt: true,
    keep_alive: '5m',
    options: { num_ctx: 4096 },
    store: false,
    metadata: { a: 'b' },
    user: 'u',
    safety_identifier: 's',
    service_tier: 'auto',
    prediction: null,
    modalities: ['text'],
    verbosity: 'low',
    prompt_cache_key: 'k',
    prompt_cache_retention: '24h',
    logit_bias: { 5: -1 },
    presence_penalty: 0.1,
    frequency_penalty: 0.1,
    no_such_field: [1, { a: null }],
  };
  assert.equal((await create({ model, max_tokens: 4, messages, ...extras })).object, 'chat.completion');
});

test('input instead of messages is taken (Cursor)', async () => {
  const answer = await raw('POST', '/v1/chat/completions', {
    body: { model, input: [{ role: 'user', content: 'Hello [count]' }], max_tokens: 4 },
  });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json().object, 'chat.completion');
});

test('bases without /v1 are served', async () => {
  const answer = await raw('POST', '/chat/completions', { body: ask('Hello [count]', { max_tokens: 2 }) });
  assert.equal(answer.status, 200);
  assert.equal((await raw('GET', '/models')).status, 200);
});

test('eight at once all get their own whole answer', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) => create(ask(`tag${i} [echo]`, { max_tokens: 8 }))),
  );
  assert.equal(new Set(answers.map((a) => a.id)).size, 8);
  if (scripted) for (const [i, answer] of answers.entries()) assert.equal(textOf(answer), `tag${i} [echo]`);
});

test('an aborted stream frees the server, is settled as such, and the next request works', async () => {
  await idle();
  const { data: stream, response } = await openai.chat.completions
    .create(ask('Tell me a very long story. [long]', { max_tokens: 2000, stream: true }))
    .withResponse();
  let seen = 0;
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content && ++seen === 3) break; // leaving the loop aborts the request
  }
  await idle();
  const row = await ledgerRow(response.headers.get('x-request-id'));
  assert.equal(row.end_reason, 'client_abort');
  assert.ok(row.usage.output >= 3 && row.usage.output < 2000, JSON.stringify(row.usage));
  assert.equal((await create(ask('Hello [count]', { max_tokens: 2 }))).object, 'chat.completion');
});

test('an abort while the engine is silent is noticed too', needsScript, async () => {
  await idle();
  const stop = new AbortController();
  const stream = await create(ask('[hang]', { stream: true }), { signal: stop.signal });
  const reading = (async () => {
    for await (const chunk of stream) assert.ok(chunk);
  })();
  await until((now) => now.requests_running > 0, 'the start of the request');
  stop.abort();
  await reading; // this library ends the loop quietly
  await idle();
});
