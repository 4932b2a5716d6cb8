namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>What a model folder says of itself in <c>model.json</c>. Fields that are not listed here are for people.</summary>
internal sealed record ModelSettings(string? Name, string? Version, WeightScheme? Scheme)
{
    private const string FileName = "model.json", Kind = "language";
    private const int MaxBytes = 64 << 10;

    public static ModelSettings Read(string folder)
    {
        if (FolderFile.ReadIfThere(folder, FileName, MaxBytes) is not { } bytes) return new ModelSettings(null, null, null);
        using var document = JsonFields.Parse(bytes, FileName, out var fields);
        if (fields.Text("kind") is { } kind && kind != Kind) throw fields.Refused($"kind is {Quoted.Of(kind)}, not '{Kind}'");
        var scheme = fields.Text("scheme");
        return new ModelSettings(NotEmpty(fields, "name"), NotEmpty(fields, "version"), scheme is null ? null : SchemeOf(fields, scheme));
    }

    private static WeightScheme SchemeOf(JsonFields fields, string scheme) =>
        WeightSchemes.Parse(scheme) ?? throw fields.Refused($"scheme is {Quoted.Of(scheme)}; bf16, int8 and int4 are served");

    private static string? NotEmpty(JsonFields fields, string name) =>
        fields.Text(name) is not { } text ? null : text.Length > 0 ? text : throw fields.Refused($"{name} is empty");
}
