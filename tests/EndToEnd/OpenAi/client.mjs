// Drives a host with OpenAI's own client for JavaScript. Usage: node client.mjs BASE_URL MODEL
// Ends with 0 and one line per scenario, or with the first that does not hold.

import assert from 'node:assert/strict';
import OpenAI from 'openai';

const [baseURL, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
const messages = [{ role: 'system', content: 'Answer from scripture.' }, { role: 'user', content: 'And it came to pass' }];
const tools = [{
  type: 'function',
  function: {
    name: 'verse',
    description: 'Looks up a verse',
    parameters: {
      type: 'object',
      properties: { book: { type: 'string', enum: ['Genesis', 'Exodus', 'Psalms'] }, chapter: { type: 'integer', minimum: 1, maximum: 9 } },
      required: ['book', 'chapter'],
      additionalProperties: false,
    },
  },
}];

const scenarios = {
  async models() {
    const listed = [];
    for await (const each of client.models.list()) listed.push(each.id);
    assert.ok(listed.includes(model), `${listed} has no ${model}`);
    assert.equal((await client.models.retrieve(model)).id, model);
  },

  async chat() {
    const { data: answer, response } = await client.chat.completions.create({ model, messages, max_tokens: 24, seed: 7 }).withResponse();
    assert.equal(answer.object, 'chat.completion');
    assert.ok(answer.choices[0].message.content.length > 0);
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
    assert.match(answer.og_receipt.id, /^[0-9a-f]{32}$/);
    assert.equal(response.headers.get('og-receipt-id'), answer.og_receipt.id);
    assert.ok(Buffer.from(answer.og_receipt.receipt, 'base64').subarray(0, 14).toString() === 'OGE receipt v1');
  },

  async streaming() {
    const request = { model, messages, max_tokens: 150, seed: 7, temperature: 0.8, og_replay: true };
    const whole = await client.chat.completions.create(request);
    const stream = await client.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } });
    let text = '', receipt = null, usage = null, finish = null, replay = null;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? '';
      finish = chunk.choices[0]?.finish_reason ?? finish;
      receipt = chunk.og_receipt ?? receipt;
      usage = chunk.usage ?? usage;
      replay = chunk.og_replay ?? replay;
    }
    assert.equal(text, whole.choices[0].message.content);
    assert.equal(finish, whole.choices[0].finish_reason);
    assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
    assert.equal(receipt.tokens >= usage.completion_tokens, true);
    assert.equal(replay.tokens.length, receipt.tokens);
    // The last head of a long stream names the one before.
    if (receipt.tokens > 64) assert.notEqual(replay.previous, '0'.repeat(64));
  },

  async streamingHelper() {
    const runner = client.chat.completions.stream({ model, messages, max_tokens: 16 });
    const final = await runner.finalChatCompletion();
    assert.equal(final.choices[0].message.role, 'assistant');
  },

  async leaving() {
    const stream = await client.chat.completions.create({ model, messages, max_tokens: 150, stream: true });
    for await (const chunk of stream) { assert.ok(chunk.id); break; }
    stream.controller.abort();
    // The host goes on answering.
    assert.equal((await client.chat.completions.create({ model, messages, max_tokens: 1 })).choices.length, 1);
  },

  async tools() {
    for (const tool_choice of ['required', { type: 'function', function: { name: 'verse' } }]) {
      const answer = await client.chat.completions.create({ model, messages, tools, tool_choice, seed: 3 });
      const choice = answer.choices[0];
      assert.equal(choice.finish_reason, 'tool_calls');
      const call = choice.message.tool_calls[0];
      assert.equal(call.function.name, 'verse');
      const given = JSON.parse(call.function.arguments);
      assert.ok(['Genesis', 'Exodus', 'Psalms'].includes(given.book) && given.chapter >= 1 && given.chapter <= 9, call.function.arguments);
      const after = await client.chat.completions.create({ model, tools, max_tokens: 8, messages: [...messages, choice.message, { role: 'tool', tool_call_id: call.id, content: 'In the beginning' }] });
      assert.ok(after.choices[0].finish_reason);
    }
  },

  async streamedTools() {
    const stream = await client.chat.completions.create({ model, messages, tools, tool_choice: 'required', stream: true, seed: 3 });
    let name = '', given = '', finish = null;
    for await (const chunk of stream) {
      for (const call of chunk.choices[0]?.delta?.tool_calls ?? []) {
        name += call.function?.name ?? '';
        given += call.function?.arguments ?? '';
      }
      finish = chunk.choices[0]?.finish_reason ?? finish;
    }
    assert.equal(name, 'verse');
    assert.equal(finish, 'tool_calls');
    assert.ok(JSON.parse(given).book);
  },

  async jsonSchema() {
    const schema = { type: 'object', properties: { holy: { type: 'boolean' }, days: { type: 'integer', minimum: 1, maximum: 7 } }, required: ['holy', 'days'], additionalProperties: false };
    const answer = await client.chat.completions.create({ model, messages, response_format: { type: 'json_schema', json_schema: { name: 'day', strict: true, schema } } });
    const day = JSON.parse(answer.choices[0].message.content);
    assert.equal(typeof day.holy, 'boolean');
    assert.ok(day.days >= 1 && day.days <= 7);
  },

  async choicesAndLogprobs() {
    const answer = await client.chat.completions.create({ model, messages, n: 2, max_tokens: 4, logprobs: true, top_logprobs: 2 });
    assert.equal(answer.choices.length, 2);
    for (const choice of answer.choices) for (const position of choice.logprobs.content) assert.equal(position.top_logprobs.length, 2);
  },

  async completions() {
    const answer = await client.completions.create({ model, prompt: ['In the beginning', 'And God said'], max_tokens: 8, echo: true, temperature: 0 });
    assert.equal(answer.choices.length, 2);
    assert.ok(answer.choices[0].text.startsWith('In the beginning'));
    let text = '';
    for await (const chunk of await client.completions.create({ model, prompt: 'In the beginning', max_tokens: 8, temperature: 0, stream: true })) text += chunk.choices[0]?.text ?? '';
    assert.equal('In the beginning' + text, answer.choices[0].text);
  },

  async embeddings() {
    const answer = await client.embeddings.create({ model, input: ['light', 'darkness'] });
    assert.equal(answer.data.length, 2);
    for (const { embedding } of answer.data) assert.ok(Math.abs(embedding.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-3);
    const plain = await client.embeddings.create({ model, input: 'light', encoding_format: 'float' });
    assert.ok(plain.data[0].embedding.every((x, i) => Math.abs(x - answer.data[0].embedding[i]) < 1e-6));
  },

  async errors() {
    await assert.rejects(client.chat.completions.create({ model: 'gpt-4o', messages }), (error) => error instanceof OpenAI.NotFoundError && error.code === 'model_not_found' && error.param === 'model');
    await assert.rejects(client.chat.completions.create({ model, messages: [] }), (error) => error instanceof OpenAI.BadRequestError && error.param === 'messages');
    await assert.rejects(client.chat.completions.create({ model, messages: [{ role: 'user', content: 'lo '.repeat(20_000) }] }), (error) => error instanceof OpenAI.BadRequestError && error.code === 'context_length_exceeded');
    await assert.rejects(client.chat.completions.create({ model, messages, stream: true, temperature: 7 }), (error) => error instanceof OpenAI.BadRequestError && error.param === 'temperature');
  },
};

for (const [name, scenario] of Object.entries(scenarios)) {
  try {
    await scenario();
  } catch (error) {
    console.error(`${name}: ${error.stack}`);
    process.exit(1);
  }
  console.log(name);
}
