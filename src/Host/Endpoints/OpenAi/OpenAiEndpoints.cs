using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Protocol.OpenAi;
using OpenGradient.Engine.Host.Server;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.LanguageModels.Chat;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Host.Endpoints.OpenAi;

/// <summary>OpenAI's API over the served language models (docs/language-models.md has what is refused).</summary>
internal sealed class OpenAiEndpoints(ServedModels models, GenerationEndpoint generation, TimeProvider clock, long maxBodyBytes)
{
    // Part of the 30 s that a stop waits for what was admitted; the rest is for heads and last chunks.
    private static readonly TimeSpan AnswersWhileStopping = TimeSpan.FromSeconds(20);

    public static void Map(WebApplication app, EngineHost host, Releases releases, Drain drain)
    {
        var stopped = new CancellationTokenSource();
        app.Lifetime.ApplicationStopping.Register(() => stopped.CancelAfter(AnswersWhileStopping));
        var models = ServedModels.Of(host);
        var endpoints = new OpenAiEndpoints(models, new GenerationEndpoint(releases, host.Clock, stopped.Token), host.Clock, host.Configuration.Http.MaxBodyBytes);
        Map(app, endpoints, new ModelList(models), new EmbeddingEndpoint(models, host.Configuration.Http.MaxBodyBytes), drain);
    }

    public static void Map(IEndpointRouteBuilder routes, OpenAiEndpoints endpoints, ModelList list, EmbeddingEndpoint embeddings, Drain drain)
    {
        routes.MapGet("/v1/models", list.All);
        routes.MapGet("/v1/models/{**id}", context => list.One(context, context.Request.RouteValues["id"] as string ?? ""));
        routes.MapPost("/v1/chat/completions", context => drain.Guard(context, () => endpoints.Chat(context)));
        routes.MapPost("/v1/completions", context => drain.Guard(context, () => endpoints.Complete(context)));
        routes.MapPost("/v1/embeddings", context => drain.Guard(context, () => embeddings.Handle(context)));
    }

    public async Task Chat(HttpContext context)
    {
        var body = await RequestBody.Read(context, maxBodyBytes);
        using var document = RequestJson.Parse(body);
        var request = ChatRequest.Read(document.RootElement);
        var model = models.Find(request.Common.Model);
        model.CheckLength(body.Length, "messages");
        var prompt = PromptOf(model, request);
        var caller = CallerIdentity.Of(context);
        GenerationRequest[] asked = [.. Enumerable.Range(0, request.Common.Choices)
            .Select(choice => request.Common.ToRequest(prompt.Tokens, request.Sampling, choice, caller) with { Constraint = prompt.Constraint })];
        var form = new ChatForm([.. asked.Select(_ => new ChatContent(prompt.StartParser(), request.Parallel))], Logprobs(model, request.Sampling.TopLogprobs));
        await generation.Answer(context, new AskedGeneration(model, request.Common, asked, asked.Length, form));
    }

    public async Task Complete(HttpContext context)
    {
        var body = await RequestBody.Read(context, maxBodyBytes);
        using var document = RequestJson.Parse(body);
        var request = CompletionRequest.Read(document.RootElement);
        var model = models.Find(request.Common.Model);
        var caller = CallerIdentity.Of(context);
        var choices = request.Common.Choices;
        int[][] prompts = [.. request.Prompts.Select(model.TokensOf)];
        GenerationRequest[] asked = [.. prompts.SelectMany(tokens => Enumerable.Range(0, choices).Select(choice => request.Common.ToRequest(tokens, request.Sampling, choice, caller)))];
        string[] echo = [.. Enumerable.Range(0, asked.Length).Select(choice => request.Echo ? TextOf(model, request.Prompts[choice / choices], prompts[choice / choices]) : "")];
        await generation.Answer(context, new AskedGeneration(model, request.Common, asked, choices, new CompletionForm(echo, Logprobs(model, request.Sampling.TopLogprobs))));
    }

    private ChatPrompt PromptOf(ServedModel model, ChatRequest request)
    {
        if (model.Parts.Template is null)
            throw new OpenAiException(StatusCodes.Status400BadRequest, $"'{model.Name}' has no chat template: it completes texts (POST /v1/completions), and does not chat", "model", "no_chat_template");
        try
        {
            return ChatPrompt.Create(model.Parts, request.Chat with { Now = clock.GetUtcNow() });
        }
        catch (ChatPromptException refused)
        {
            throw ChatRequest.Refused(refused);
        }
    }

    private static LogprobsJson? Logprobs(ServedModel model, int? top) => top is null ? null : new LogprobsJson(model.Tokenizer);

    private static string TextOf(ServedModel model, PromptText prompt, int[] tokens) => prompt.Text ?? model.Tokenizer.Decode(tokens, skipSpecialTokens: true);
}
