using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.LanguageModels.Replay;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>What replaying a generated answer found, for people, for machines, and as an exit code.</summary>
/// <param name="verdict">What the replay found.</param>
/// <param name="trust">What the trust file does not accept; null when none was asked.</param>
internal sealed class GenerationReplayReport(GenerationReplayVerdict verdict, IReadOnlyList<VerificationFailure>? trust)
{
    /// <summary>The codes of <see cref="ReplayReport"/> (docs/cli.md); what the trust file does not accept is never 0.</summary>
    public int ExitCode => verdict.Outcome switch
    {
        GenerationReplayOutcome.Reproduced => trust is { Count: > 0 } ? ExitCodes.Failed : ExitCodes.Ok,
        GenerationReplayOutcome.ReceiptInvalid => ExitCodes.Failed,
        GenerationReplayOutcome.TokenDiffers or GenerationReplayOutcome.FinishDiffers => 10,
        GenerationReplayOutcome.NotReproducibleHere => 12,
        GenerationReplayOutcome.WrongModel => 14,
        GenerationReplayOutcome.WrongPrompt or GenerationReplayOutcome.WrongParameters => 15,
        GenerationReplayOutcome.WrongAnswer => 16,
        _ => 17,
    };

    public string Text()
    {
        var text = new StringBuilder().AppendLine($"{Words}: {verdict.Detail}");
        if (verdict.Calls > 0) text.AppendLine($"  computed    {verdict.ComputedTokens} tokens in {verdict.Calls} {(verdict.Calls == 1 ? "call" : "calls")}, {verdict.Elapsed.TotalSeconds:0.000} s; {verdict.Reproduced} of the answer's are the same");
        if (verdict.Stated is { } stated && verdict.Here is { } here && stated != here) text.AppendLine($"  stated      {Line(stated)}").AppendLine($"  here        {Line(here)}");
        if (trust is null) text.AppendLine("  signature   not checked: og verify does that, or --trust here");
        else if (trust.Count == 0) text.AppendLine("  signature   it, evidence and proof hold under the trust file");
        foreach (var failure in trust ?? []) text.AppendLine($"  trust       {failure}");
        return text.ToString();
    }

    public string Json() => Encoding.UTF8.GetString(Answers.Render(json =>
    {
        json.WriteStartObject();
        json.WriteString("outcome", Words.Replace(' ', '-'));
        json.WriteString("detail", verdict.Detail);
        json.WriteNumber("exitCode", ExitCode);
        json.WriteNumber("reproduced", verdict.Reproduced);
        if (verdict.FirstDifference is { } index) json.WriteNumber("firstDifference", index);
        if (verdict.Claimed is { } claimed) json.WriteNumber("claimed", claimed);
        if (verdict.Found is { } found) json.WriteNumber("found", found);
        json.WriteNumber("computedTokens", verdict.ComputedTokens);
        json.WriteNumber("calls", verdict.Calls);
        json.WriteNumber("seconds", verdict.Elapsed.TotalSeconds);
        if (verdict.Stated is { } stated) json.WriteString("stated", Line(stated));
        if (verdict.Here is { } here) json.WriteString("here", Line(here));
        json.WriteStartArray("trust");
        foreach (var failure in trust ?? []) json.WriteStringValue(failure.ToString());
        json.WriteEndArray();
        json.WriteEndObject();
    }).WrittenSpan);

    private string Words => verdict.Outcome switch
    {
        GenerationReplayOutcome.Reproduced => "reproduced",
        GenerationReplayOutcome.TokenDiffers => "differs",
        GenerationReplayOutcome.FinishDiffers => "finish differs",
        GenerationReplayOutcome.NotReproducibleHere => "not reproducible here",
        GenerationReplayOutcome.WrongModel => "wrong model",
        GenerationReplayOutcome.WrongPrompt => "wrong prompt",
        GenerationReplayOutcome.WrongParameters => "wrong parameters",
        GenerationReplayOutcome.WrongAnswer => "wrong answer",
        GenerationReplayOutcome.ReceiptInvalid => "receipt invalid",
        _ => "runtime failed",
    };

    private static string Line(RuntimeFingerprint runtime) => $"{runtime.Backend} {runtime.LibraryVersion} {runtime.Provider} {runtime.Device} {runtime.Precision} {runtime.Options}".TrimEnd();
}
