using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Templates;
using OpenGradient.Engine.LanguageModels.Tests.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Tests.Templates;

/// <summary>Templates written in the manner of published ones, for the prompt formats that their models were trained on.</summary>
public sealed class PublishedFormatTests
{
    private const string Chat = """[{"role": "system", "content": "Be brief."}, {"role": "user", "content": " Hi "}, {"role": "assistant", "content": "Hello."}, {"role": "user", "content": "Why?"}]""";
    private const string Tools = """[{"type": "function", "function": {"name": "weather", "description": "Tells the weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]""";
    private const string WithCall = """
        [{"role": "user", "content": "Weather in Zürich?"},
         {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": {"city": "Zürich"}}}]},
         {"role": "tool", "tool_call_id": "c1", "name": "weather", "content": "{\"sky\": \"grey\"}"}]
        """;

    private const string Llama2 = """
        {% if messages[0]['role'] == 'system' %}
            {% set system = '<<SYS>>\n' + messages[0]['content'] + '\n<</SYS>>\n\n' %}
            {% set rest = messages[1:] %}
        {% else %}
            {% set system = '' %}
            {% set rest = messages %}
        {% endif %}
        {% for message in rest %}
            {% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
                {{ raise_exception('user and assistant must take turns') }}
            {% endif %}
            {% set content = system + message['content'] if loop.first else message['content'] %}
            {% if message['role'] == 'user' %}
                {{- bos_token + '[INST] ' + content.strip() + ' [/INST]' -}}
            {% else %}
                {{- ' ' + content.strip() + ' ' + eos_token -}}
            {% endif %}
        {% endfor %}
        """;

    private const string Llama3 = """
        {{- bos_token }}
        {%- if not tools is defined %}
            {%- set tools = none %}
        {%- endif %}
        {%- if messages[0]['role'] == 'system' %}
            {%- set system_message = messages[0]['content'] | trim %}
            {%- set messages = messages[1:] %}
        {%- else %}
            {%- set system_message = '' %}
        {%- endif %}
        {{- '<|start_header_id|>system<|end_header_id|>\n\n' }}
        {%- if tools is not none %}
            {{- 'Environment: ipython\n' }}
        {%- endif %}
        {{- 'Today Date: ' + strftime_now('%d %b %Y') + '\n\n' }}
        {%- if tools is not none %}
            {%- for t in tools %}
                {{- t | tojson(indent=4) }}
                {{- '\n\n' }}
            {%- endfor %}
        {%- endif %}
        {{- system_message + '<|eot_id|>' }}
        {%- for message in messages %}
            {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
                {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}
            {%- elif 'tool_calls' in message %}
                {%- if message.tool_calls | length != 1 %}
                    {{- raise_exception('one call at a time') }}
                {%- endif %}
                {%- set tool_call = message.tool_calls[0].function %}
                {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}
                {{- '{"name": "' + tool_call.name + '", "parameters": ' }}
                {{- tool_call.arguments | tojson }}
                {{- '}<|eot_id|>' }}
            {%- elif message.role == 'tool' or message.role == 'ipython' %}
                {{- '<|start_header_id|>ipython<|end_header_id|>\n\n' }}
                {%- if message.content is mapping or message.content is iterable and message.content is not string %}
                    {{- message.content | tojson }}
                {%- else %}
                    {{- message.content }}
                {%- endif %}
                {{- '<|eot_id|>' }}
            {%- endif %}
        {%- endfor %}
        {%- if add_generation_prompt %}
            {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
        {%- endif %}
        """;

    // ChatML with Hermes' tool calls, and the thinking of Qwen 3.
    private const string Qwen3 = """
        {%- if tools %}
            {{- '<|im_start|>system\n' }}
            {%- if messages[0].role == 'system' %}{{- messages[0].content + '\n\n' }}{%- endif %}
            {{- '<tools>' }}
            {%- for tool in tools %}
                {{- '\n' }}
                {{- tool | tojson }}
            {%- endfor %}
            {{- '\n</tools><|im_end|>\n' }}
        {%- elif messages[0].role == 'system' %}
            {{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}
        {%- endif %}
        {%- set ns = namespace(multi_step_tool=true, last_query_index=messages | length - 1) %}
        {%- for message in messages[::-1] %}
            {%- set index = (messages | length - 1) - loop.index0 %}
            {%- if ns.multi_step_tool and message.role == 'user' and message.content is string and not (message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
                {%- set ns.multi_step_tool = false %}
                {%- set ns.last_query_index = index %}
            {%- endif %}
        {%- endfor %}
        {%- for message in messages %}
            {%- if message.content is string %}
                {%- set content = message.content %}
            {%- else %}
                {%- set content = '' %}
            {%- endif %}
            {%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
                {{- '<|im_start|>' + message.role + '\n' + content + '<|im_end|>' + '\n' }}
            {%- elif message.role == 'assistant' %}
                {%- set reasoning_content = '' %}
                {%- if message.reasoning_content is string %}
                    {%- set reasoning_content = message.reasoning_content %}
                {%- elif '</think>' in content %}
                    {%- set reasoning_content = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
                    {%- set content = content.split('</think>')[-1].lstrip('\n') %}
                {%- endif %}
                {%- if loop.index0 > ns.last_query_index and (loop.last or reasoning_content) %}
                    {{- '<|im_start|>assistant\n<think>\n' + reasoning_content.strip('\n') + '\n</think>\n\n' + content.lstrip('\n') }}
                {%- else %}
                    {{- '<|im_start|>assistant\n' + content }}
                {%- endif %}
                {%- if message.tool_calls %}
                    {%- for tool_call in message.tool_calls %}
                        {%- if (loop.first and content) or (not loop.first) %}{{- '\n' }}{%- endif %}
                        {%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}
                        {{- '<tool_call>\n{"name": "' }}
                        {{- tool_call.name }}
                        {{- '", "arguments": ' }}
                        {%- if tool_call.arguments is string %}{{- tool_call.arguments }}{%- else %}{{- tool_call.arguments | tojson }}{%- endif %}
                        {{- '}\n</tool_call>' }}
                    {%- endfor %}
                {%- endif %}
                {{- '<|im_end|>\n' }}
            {%- elif message.role == 'tool' %}
                {%- if loop.first or (messages[loop.index0 - 1].role != 'tool') %}{{- '<|im_start|>user' }}{%- endif %}
                {{- '\n<tool_response>\n' + content + '\n</tool_response>' }}
                {%- if loop.last or (messages[loop.index0 + 1].role != 'tool') %}{{- '<|im_end|>\n' }}{%- endif %}
            {%- endif %}
        {%- endfor %}
        {%- if add_generation_prompt %}
            {{- '<|im_start|>assistant\n' }}
            {%- if enable_thinking is defined and enable_thinking is false %}
                {{- '<think>\n\n</think>\n\n' }}
            {%- endif %}
        {%- endif %}
        """;

    private const string Mistral = """
        {%- if messages[0]['role'] == 'system' %}
            {%- set system_message = messages[0]['content'] %}
            {%- set loop_messages = messages[1:] %}
        {%- else %}
            {%- set loop_messages = messages %}
        {%- endif %}
        {%- set user_messages = loop_messages | selectattr('role', 'equalto', 'user') | list %}
        {{- bos_token }}
        {%- for message in loop_messages %}
            {%- if message['role'] == 'user' %}
                {%- if tools is not none and (message == user_messages[-1]) %}
                    {{- '[AVAILABLE_TOOLS] [' }}
                    {%- for tool in tools %}
                        {%- set tool = tool.function %}
                        {{- '{"type": "function", "function": {' }}
                        {%- for key, val in tool.items() if key != 'return' %}
                            {%- if val is string %}
                                {{- '"' + key + '": "' + val + '"' }}
                            {%- else %}
                                {{- '"' + key + '": ' + val | tojson }}
                            {%- endif %}
                            {%- if not loop.last %}{{- ', ' }}{%- endif %}
                        {%- endfor %}
                        {{- '}}' }}
                        {%- if not loop.last %}{{- ', ' }}{%- else %}{{- ']' }}{%- endif %}
                    {%- endfor %}
                    {{- '[/AVAILABLE_TOOLS]' }}
                {%- endif %}
                {%- if loop.last and system_message is defined %}
                    {{- '[INST] ' + system_message + '\n\n' + message['content'] + '[/INST]' }}
                {%- else %}
                    {{- '[INST] ' + message['content'] + '[/INST]' }}
                {%- endif %}
            {%- elif message['role'] == 'assistant' and message.tool_calls is not defined %}
                {{- ' ' + message['content'] | trim + eos_token }}
            {%- endif %}
        {%- endfor %}
        """;

    private const string Gemma = """
        {{ bos_token }}
        {%- if messages[0]['role'] == 'system' -%}
            {%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}
            {%- set loop_messages = messages[1:] -%}
        {%- else -%}
            {%- set first_user_prefix = '' -%}
            {%- set loop_messages = messages -%}
        {%- endif -%}
        {%- for message in loop_messages -%}
            {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
            {{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else '') }}
            {%- if message['content'] is string -%}
                {{ message['content'] | trim }}
            {%- else -%}
                {%- for item in message['content'] -%}
                    {%- if item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}
                {%- endfor -%}
            {%- endif -%}
            {{ '<end_of_turn>\n' }}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%}
        """;

    private const string Phi = "{% for message in messages %}{% if message['role'] in ['system', 'user', 'assistant'] %}{{ '<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}";

    private const string DeepSeek = """
        {% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}
        {% set ns = namespace(is_first=false, system_prompt='') %}
        {%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{%- endif %}{%- endfor %}
        {{- bos_token }}{{ ns.system_prompt }}
        {%- for message in messages %}
            {%- if message['role'] == 'user' %}{{- '<｜User｜>' + message['content'] }}{%- endif %}
            {%- if message['role'] == 'assistant' and message['content'] is not none %}
                {% set content = message['content'] %}
                {% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}
                {{- '<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>' }}
            {%- endif %}
        {%- endfor %}
        {%- if add_generation_prompt %}{{- '<｜Assistant｜>' }}{%- endif %}
        """;

    [Fact]
    public void Llama2_Chat_HasItsSystemTextInTheFirstTurn() => Assert.Equal(
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n Hi [/INST] Hello. </s><s>[INST] Why? [/INST]", Rendering.Of(Llama2, Chat));

    [Fact]
    public void Llama2_TwoUserTurns_AreRefusedByTheTemplate() => Assert.Contains(
        "user and assistant must take turns", Rendering.Refused(Llama2, """[{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]"""));

    [Fact]
    public void Llama3_Chat_HasHeadersAndTheDate() => Assert.Equal(
        "<s><|start_header_id|>system<|end_header_id|>\n\nToday Date: 07 Mar 2026\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        + "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        Rendering.Of(Llama3, Chat));

    [Fact]
    public void Llama3_Tools_AreWrittenAsJson()
    {
        const string Tool = "{\n    \"type\": \"function\",\n    \"function\": {\n        \"name\": \"weather\",\n        \"description\": \"Tells the weather\",\n        \"parameters\": {\n            \"type\": \"object\",\n"
            + "            \"properties\": {\n                \"city\": {\n                    \"type\": \"string\"\n                }\n            },\n            \"required\": [\n                \"city\"\n            ]\n        }\n    }\n}";
        Assert.Equal(
            "<s><|start_header_id|>system<|end_header_id|>\n\nEnvironment: ipython\nToday Date: 07 Mar 2026\n\n" + Tool + "\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWeather in Zürich?<|eot_id|>"
            + "<|start_header_id|>assistant<|end_header_id|>\n\n{\"name\": \"weather\", \"parameters\": {\"city\": \"Zürich\"}}<|eot_id|><|start_header_id|>ipython<|end_header_id|>\n\n{\"sky\": \"grey\"}<|eot_id|>",
            Rendering.Of(Llama3, WithCall, Tools, prompt: false));
    }

    [Fact]
    public void Qwen3_Tools_AreHermesStyle() => Assert.Equal(
        "<|im_start|>system\n<tools>\n{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"description\": \"Tells the weather\", \"parameters\": {\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}}, \"required\": [\"city\"]}}}\n</tools><|im_end|>\n"
        + "<|im_start|>user\nWeather in Zürich?<|im_end|>\n<|im_start|>assistant\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Zürich\"}}\n</tool_call><|im_end|>\n"
        + "<|im_start|>user\n<tool_response>\n{\"sky\": \"grey\"}\n</tool_response><|im_end|>\n<|im_start|>assistant\n",
        Rendering.Of(Qwen3, WithCall, Tools));

    [Fact]
    public void Qwen3_Thinking_IsCutFromEarlierTurnsAndCanBeTurnedOff() => Assert.Equal(
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
        Rendering.Of(Qwen3, """[{"role": "user", "content": "a"}, {"role": "assistant", "content": "<think>\nhm\n</think>\n\nb"}, {"role": "user", "content": "c"}]""", variables: """{"enable_thinking": false}"""));

    [Fact]
    public void Mistral_Tools_ComeBeforeTheLastUserTurn() => Assert.Equal(
        "<s>[INST]  Hi [/INST] Hello.</s>[AVAILABLE_TOOLS] [{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"description\": \"Tells the weather\", \"parameters\": {\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}}, \"required\": [\"city\"]}}}][/AVAILABLE_TOOLS][INST] Be brief.\n\nWhy?[/INST]",
        Rendering.Of(Mistral, Chat, Tools));

    [Fact]
    public void Gemma_Parts_AreJoinedUnderTheModelsRoleNames() => Assert.Equal(
        "<s><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\nHello.<end_of_turn>\n<start_of_turn>user\nWhy?<end_of_turn>\n<start_of_turn>model\n",
        Rendering.Of(Gemma, Chat.Replace("\" Hi \"", """[{"type": "text", "text": " Hi "}, {"type": "image"}]""")));

    [Fact]
    public void Phi_Chat_IsLinesWithRoles()
    {
        Assert.Equal("<|system|>\nBe brief.<|end|>\n<|user|>\n Hi <|end|>\n<|assistant|>\nHello.<|end|>\n<|user|>\nWhy?<|end|>\n<|assistant|>\n", Rendering.Of(Phi, Chat));
        Assert.EndsWith("Why?<|end|>\n</s>", Rendering.Of(Phi, Chat, prompt: false));
    }

    [Fact]
    public void DeepSeek_Chat_LeavesThinkingOut() => Assert.Equal(
        "<s>Be brief.<｜User｜>Q<｜Assistant｜>A<｜end▁of▁sentence｜><｜User｜>R<｜Assistant｜>",
        Rendering.Of(DeepSeek, """[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Q"}, {"role": "assistant", "content": "<think>x</think>A"}, {"role": "user", "content": "R"}]"""));

    [Fact]
    public void ShippedModel_Chat_IsTheFormatThatItWasTrainedOn()
    {
        var folder = Path.Combine(TokenizerVectors.Root(), "models", "scripture");
        using var settings = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer_config.json")));
        var tokenizer = OpenGradient.Engine.LanguageModels.Tokenization.Tokenizer.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")));
        var prompt = ChatTemplate.Parse(settings.RootElement.GetProperty("chat_template").GetString()!).Render(new ChatTemplateInput
        {
            Messages = JsonElement.Parse(Chat),
            BosToken = settings.RootElement.GetProperty("bos_token").GetString()!,
            EosToken = settings.RootElement.GetProperty("eos_token").GetString()!,
        });
        Assert.Equal("<|begin|><|system|>Be brief.<|end|><|user|>Hi<|end|><|assistant|>Hello.<|end|><|user|>Why?<|end|><|assistant|>", prompt);
        var tokens = tokenizer.Encode(prompt, addSpecialTokens: false);
        Assert.Equal(10, tokens.Count(tokenizer.IsSpecial));
        Assert.Equal(2048, tokenizer.VocabularySize);
        Assert.Equal(prompt, tokenizer.Decode(tokens, skipSpecialTokens: false));
        Assert.Equal("Be brief.HiHello.Why?", tokenizer.Decode(tokens, skipSpecialTokens: true));
    }

    [Fact]
    public void Messages_AreSeenAsTheyAre()
    {
        const string Messages = """[{"role": "user", "content": null, "n": 1, "r": 1.50, "big": 123456789012345678901, "list": [true, {}]}]""";
        Assert.Equal("None 1 1.5 123456789012345678901 [True, {}]|", Rendering.Of("{% set m = messages[0] %}{{ m.content }} {{ m.n }} {{ m.r }} {{ m.big }} {{ m.list }}|{{ m.missing }}", Messages));
        Assert.Contains("well-formed", Rendering.Refused("{{ messages }}", """[{"content": "\ud800"}]"""));
        Assert.Contains("well-formed", Rendering.Refused("{{ messages }}", """[{"\udc00": 1}]"""));
    }
}
