using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.LanguageModels.Tests;

public sealed class FinishReasonTests
{
    /// <summary>The numbers are signed: docs/formats.md lists them.</summary>
    [Fact]
    public void FinishReasons_Numbers_AreTheCommittedOnes() =>
        Assert.Equal(
            ["None=0", "EndOfSequence=1", "StopText=2", "Length=3", "Constraint=4", "Cancelled=5", "Failed=6"],
            Enum.GetValues<FinishReason>().Select(reason => $"{reason}={(byte)reason}"));
}
