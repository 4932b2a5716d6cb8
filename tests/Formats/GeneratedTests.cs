using OpenGradient.Engine.Formats.Tests.Support;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class GeneratedTests
{
    [Fact]
    public void ForAll_AssertionThatFailsForSomeValue_Fails() =>
        Assert.ThrowsAny<Exception>(() => Generated.ForAll(Samples.Byte, value => Assert.InRange(value, 0, 100)));
}
