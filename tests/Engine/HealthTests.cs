namespace OpenGradient.Engine.Engine.Tests;

public sealed class HealthTests
{
    [Fact]
    public async Task Health_FreshlyLoadedModel_IsReadyWithoutReasons()
    {
        await using var engine = FakeEngine.Create(new FakeBackend());
        await engine.LoadModelAsync(FakeEngine.Options);
        var health = engine.Health("fake")!;
        Assert.Equal(ModelHealth.Ready, health.Health);
        Assert.Empty(health.Reasons);
    }

    [Fact]
    public async Task Health_UnknownModel_IsNull()
    {
        await using var engine = FakeEngine.Create(new FakeBackend());
        Assert.Null(engine.Health("fake"));
    }
}
