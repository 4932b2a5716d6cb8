// One question to a language model: the answer as it is written, the heads that are signed on the way, and its receipt's
// stages until it is final. Whatever the model writes is only ever set as text.

import { STAGES, $, text, make, duration, between, clock, number, short } from './words.js';

const MAX_TOKENS = 200; // a paragraph: enough to see a stream and its heads
const TEMPERATURE = 0.7; // small models repeat themselves when they take the most probable token
const SETTLED = ['final', 'quarantined'];

let model = null; // whom the page asks
let running = null; // aborts the answer under way
let watching = null; // the stream of its receipt's stages

/** Shows the panel where a model that chats is served. */
export function renderChat(models) {
  model = models.find((each) => each.chat) ?? models[0] ?? null;
  $('chat').hidden = !model;
  if (model) text($('chat-model'), `${model.name} ${model.version}, ${model.architecture} ${model.precision}, identity ${short(model.identity)}`);
}

async function ask(prompt) {
  running?.abort();
  watching?.close();
  running = new AbortController();
  const began = performance.now();
  const answer = { tokens: 0, receipt: null, first: null };
  reset();
  writing(true);
  try {
    const response = await fetch(model.chat ? 'v1/chat/completions' : 'v1/completions', { method: 'POST', signal: running.signal, headers: { 'content-type': 'application/json' }, body: JSON.stringify(question(prompt)) });
    if (!response.ok) throw new Error(await refusal(response));
    for await (const chunk of chunks(response.body)) take(chunk, answer, began);
  } catch (error) {
    if (error.name !== 'AbortError') problem(error.message);
  }
  writing(false);
  if (answer.receipt) watch(answer.receipt);
}

const question = (prompt) => ({
  model: model.name,
  ...(model.chat ? { messages: [{ role: 'user', content: prompt }] } : { prompt }),
  max_tokens: MAX_TOKENS,
  temperature: TEMPERATURE,
  stream: true,
  stream_options: { include_usage: true },
});

async function refusal(response) {
  const body = await response.json().catch(() => null);
  if (response.status === 401) return 'This host asks for an API key: use og chat, or any OpenAI client.';
  return body?.error?.message ?? `The host answered ${response.status}.`;
}

/** The stream's JSON, chunk by chunk. */
async function* chunks(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  let ended = false; // read on to the body's own end: a body left unread is a request that failed
  for (;;) {
    const { value, done } = await reader.read();
    if (done && ended) return;
    if (done) throw new Error('The stream was cut; what is signed of it is shown.');
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line === 'data: [DONE]') ended = true;
      else if (line.startsWith('data: ')) yield JSON.parse(line.slice(6));
    }
  }
}

function take(chunk, answer, began) {
  if (chunk.error) throw new Error(chunk.error.message);
  const choice = chunk.choices[0];
  const added = choice?.delta?.content ?? choice?.text ?? '';
  if (added) {
    answer.first ??= performance.now() - began;
    answer.tokens += 1; // pieces, until the usage says how many tokens it was
    $('chat-answer').append(added);
    text($('chat-first'), duration(answer.first));
    text($('chat-tokens'), number(answer.tokens));
  }
  if (chunk.usage) text($('chat-tokens'), `${number(chunk.usage.completion_tokens)} in ${duration(performance.now() - began)}`);
  const signed = chunk.og_receipt ?? chunk.og_head;
  if (!signed) return;
  answer.receipt = signed.id;
  text($('chat-signed'), `${number(signed.tokens)} tokens`);
  text($('chat-receipt'), signed.id);
  if (chunk.og_receipt) stage(chunk.og_receipt.stage);
}

/** Follows a receipt until nothing more comes. */
function watch(receipt) {
  watching = new EventSource(`v1/receipts/${receipt}/events`);
  watching.addEventListener('stage', (event) => {
    const status = JSON.parse(event.data);
    stage(status.stage);
    times(status.times ?? {});
    if (SETTLED.includes(status.stage)) watching.close();
  });
  // Without settlement there is nothing to follow: the receipt stays a signed promise.
  watching.addEventListener('error', () => { if (watching.readyState === EventSource.CLOSED) watching.close(); });
}

function stage(name) {
  $('chat').dataset.at = name;
  text($('chat-stage'), name);
}

function times(reached) {
  $('chat-times').replaceChildren(...STAGES.map((name) => {
    const item = make('li', reached[name] ? 'reached' : '');
    const gap = between(reached.executed, reached[name]);
    item.append(make('b', '', name), make('span', '', name === 'executed' ? clock(reached[name]) : gap === null ? 'not yet' : `+${duration(gap)}`));
    return item;
  }));
}

function reset() {
  text($('chat-answer'), '');
  problem('');
  for (const id of ['chat-tokens', 'chat-first', 'chat-signed', 'chat-stage', 'chat-receipt']) text($(id), '–');
  $('chat-times').replaceChildren();
  $('chat-facts').hidden = false;
  delete $('chat').dataset.at;
}

function writing(is) {
  $('chat').dataset.writing = String(is);
  $('chat-stop').hidden = !is;
}

function problem(words) {
  text($('chat-problem'), words);
  $('chat-problem').hidden = !words;
}

$('chat-form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (model) ask($('chat-prompt').value);
});
$('chat-stop').addEventListener('click', () => running?.abort());
