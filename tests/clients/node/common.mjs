// What the test files share: the server under test (from the environment), both official clients, and raw HTTP for what a
// client library hides (header bytes, event frames, malformed bodies).
import http from 'node:http';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

export const url = process.env.FREEHOLD_URL;
export const key = process.env.FREEHOLD_KEY;
export const model = process.env.FREEHOLD_MODEL;
export const engine = process.env.FREEHOLD_ENGINE;
if (!url || !key || !model || !['scripted', 'starter'].includes(engine)) {
  throw new Error(
    'FREEHOLD_URL, FREEHOLD_KEY, FREEHOLD_MODEL and FREEHOLD_ENGINE=scripted|starter must be set; run.py does',
  );
}
export const scripted = engine === 'scripted';
// The skip option of tests that need an answer no real model gives on demand.
export const needsScript = scripted
  ? {}
  : { skip: 'needs the scripted engine: a real model does not answer on demand' };

// Longest wait for something that should happen at once; a limit, not an expectation.
export const PATIENCE_MS = 20_000;

export const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, timeout: 120_000 });
export const anthropic = new Anthropic({ baseURL: url, apiKey: key, authToken: null, maxRetries: 0, timeout: 120_000 });

let counter = 0;
// A text that no earlier request began with, so that a test starts on a cold cache.
export const fresh = () => `Case ${process.pid}-${Date.now()}-${counter++}.`;
// About `words` words of plain text.
export const filler = (words) => Array.from({ length: words }, (_, i) => `item ${i % 97}`).join(', ');

// A prompt of some hundred tokens.
export const longPrompt = () => `${fresh()} ${filler(scripted ? 200 : 90)}`;
// A repeated prompt is read but for its last token (by the scripted engine: but for its last block of 16).
export const repeated = (cached, total) => cached < total && total - cached <= (scripted ? 16 : 1);
// A conversation that went on shares what it had before in whole pieces.
export const goneOn = (cached, before) => before - cached <= (scripted ? 16 : 64);

// A small model may not find the end of its JSON; then the answer must say that its tokens were used up.
export const isCut = (reason, used, max, text) =>
  !scripted && ['length', 'max_tokens'].includes(reason) && used === max && text.trimStart().startsWith('{');

export const user = (content) => [{ role: 'user', content }];

// {status, headers, text, json()}; `body` may be a string, a Buffer or a value to be sent as JSON.
export function raw(method, path, { body, headers = {}, auth = true, onData, signal } = {}) {
  const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const sent = { ...headers };
  if (auth) sent.authorization = `Bearer ${auth === true ? key : auth}`;
  if (payload !== undefined) {
    sent['content-type'] ??= 'application/json';
    sent['content-length'] = Buffer.byteLength(payload);
  }
  return new Promise((resolve, reject) => {
    const request = http.request(
      url + path,
      { method, headers: sent, agent: false, signal, timeout: 120_000 },
      (answer) => {
        const parts = [];
        answer.on('data', (part) => {
          parts.push(part);
          onData?.(Buffer.concat(parts).toString());
        });
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(parts).toString();
          resolve({ status: answer.statusCode, headers: answer.headers, text, json: () => JSON.parse(text) });
        });
      },
    );
    request.on('timeout', () => request.destroy(new Error(`${method} ${path}: no answer`)));
    request.on('error', reject);
    request.end(payload);
  });
}

// The frames of an event stream: {event, data (text), json}; comments as {comment}.
export function frames(text) {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const frame = { lines: block.split('\n') };
      for (const line of frame.lines) {
        if (line.startsWith(':')) frame.comment = line;
        else if (line.startsWith('event: ')) frame.event = line.slice(7);
        else if (line.startsWith('data: ')) frame.data = (frame.data ?? '') + line.slice(6);
        else throw new Error(`not a line of an event stream: ${JSON.stringify(line)}`);
      }
      if (frame.data !== undefined && frame.data !== '[DONE]') frame.json = JSON.parse(frame.data);
      return frame;
    });
}

export async function status() {
  return (await raw('GET', '/admin/v1/status')).json();
}

// Waits until `test(status)` of the server's status holds; fails after PATIENCE_MS.
export async function until(test, what) {
  const began = Date.now();
  for (;;) {
    const now = await status();
    if (test(now)) return Date.now() - began;
    if (Date.now() - began > PATIENCE_MS) throw new Error(`${what} did not happen within ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const idle = () => until((now) => now.requests_running === 0, 'the end of all requests');

// The ledger's row of a request id, once it is settled.
export async function ledgerRow(id) {
  const began = Date.now();
  for (;;) {
    const answer = await raw('GET', `/admin/v1/requests/${id}`);
    if (answer.status === 200 && answer.json().end_reason) return answer.json();
    if (Date.now() - began > PATIENCE_MS)
      throw new Error(`request ${id} has no settled row: ${answer.status} ${answer.text}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const weatherSchema = {
  type: 'object',
  properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
  required: ['city'],
  additionalProperties: false,
};

export const personSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    age: { type: 'integer' },
    mood: { type: 'string', enum: ['glad', 'sad'] },
    pet: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/animal' }] },
  },
  required: ['name', 'age', 'mood', 'pet'],
  additionalProperties: false,
  $defs: {
    animal: {
      type: 'object',
      properties: { kind: { type: 'string' } },
      required: ['kind'],
      additionalProperties: false,
    },
  },
};

// Whether a value fits personSchema.
export function isPerson(value) {
  const pet = value.pet === null || (Object.keys(value.pet).join() === 'kind' && typeof value.pet.kind === 'string');
  return (
    Object.keys(value).sort().join() === 'age,mood,name,pet' &&
    typeof value.name === 'string' &&
    Number.isInteger(value.age) &&
    ['glad', 'sad'].includes(value.mood) &&
    pet
  );
}
export const onePixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
