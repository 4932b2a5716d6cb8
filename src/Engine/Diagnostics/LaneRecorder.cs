namespace OpenGradient.Engine.Diagnostics;

/// <summary>Tells one model's times and sizes to whoever listens to the meter; costs one read and allocates nothing when nobody does.</summary>
internal sealed class LaneRecorder(EngineInstruments instruments, ModelInfo info)
{
    private static readonly KeyValuePair<string, object?>[] Stages =
        [.. Enum.GetValues<ServingStage>().Select(stage => new KeyValuePair<string, object?>("stage", NameOf(stage)))];

    private readonly KeyValuePair<string, object?> _model = Model(info);
    private readonly KeyValuePair<string, object?> _version = Version(info);

    public static KeyValuePair<string, object?> Model(ModelInfo info) => new("model", info.Name);

    public static KeyValuePair<string, object?> Version(ModelInfo info) => new("version", info.Version);

    public void Stage(ServingStage stage, long nanoseconds)
    {
        if (stage == ServingStage.Total)
        {
            if (instruments.RequestDuration.Enabled) instruments.RequestDuration.Record(nanoseconds * 1e-9, _model, _version);
        }
        else if (instruments.StageDuration.Enabled)
        {
            instruments.StageDuration.Record(nanoseconds * 1e-9, _model, _version, Stages[(int)stage]);
        }
    }

    public void BatchSize(int rows)
    {
        if (instruments.BatchSize.Enabled) instruments.BatchSize.Record(rows, _model, _version);
    }

    private static string NameOf(ServingStage stage) => stage.ToString().ToLowerInvariant();
}
