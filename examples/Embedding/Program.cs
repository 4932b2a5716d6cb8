using OpenGradient.Engine;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Embedding;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddOpenGradientEngine(ConfigurationLoader.Load("data/og.json", Environment.GetEnvironmentVariables(), []));
var app = builder.Build();

// A digit of 8 × 8 pixels in; its label out, with the receipt's id. The proof follows behind.
app.MapPost("/digit", async (float[] pixels, ProvenInference engine, CancellationToken cancellation) =>
{
    using var answer = await engine.InferAsync(new InferenceRequest("digits").Add<float>("pixels", [1, 64], pixels), cancellation: cancellation);
    var label = answer.Result.Values<long>(answer.Result.IndexOf("label"))[0];
    _ = KeepProof(answer); // optional: nobody waits for it
    return new { label, receipt = answer.Receipt.Id.ToString() };
});
app.Run();

// Some seconds later the receipt is final: one file that anyone can check with `og verify`.
static async Task KeepProof(ProvenAnswer answer)
{
    await answer.WaitForFinalityAsync();
    await File.WriteAllBytesAsync($"{answer.Receipt.Id}.ogb", answer.Bundle().Encode());
}
