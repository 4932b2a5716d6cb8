namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>Reads rotary parameters where older files have them (<c>rope_theta</c> and <c>rope_scaling</c>) and where newer ones do (<c>rope_parameters</c>).</summary>
internal static class RopeReader
{
    private const int MaxContext = 1 << 24;

    // What the families compute where the file does not say.
    private const float UsualTheta = 10_000;

    public static RopeParameters Read(JsonFields fields)
    {
        var (newer, older) = (fields.Object("rope_parameters"), fields.Object("rope_scaling"));
        if (newer is not null && older is not null) throw fields.Refused("it has both rope_parameters and rope_scaling");
        var theta = ReadTheta(fields, newer);
        return (newer ?? older) is { } scaling ? ReadScaling(scaling, theta) : Plain(theta);
    }

    private static float ReadTheta(JsonFields fields, JsonFields? newer)
    {
        var outer = fields.OptionalPositive("rope_theta");
        var inner = newer?.OptionalPositive("rope_theta");
        if (outer is not null && inner is not null && outer != inner)
            throw fields.Refused($"rope_theta is {outer}, and {inner} in rope_parameters");
        return inner ?? outer ?? UsualTheta;
    }

    private static RopeParameters ReadScaling(JsonFields scaling, float theta)
    {
        var (name, older) = (scaling.Text("rope_type"), scaling.Text("type"));
        if (name is not null && older is not null && name != older) throw scaling.Refused($"rope_type is {Quoted.Of(name)}, and type {Quoted.Of(older)}");
        if (scaling.OptionalPositive("partial_rotary_factor") is { } part && part != 1)
            throw scaling.Refused($"partial_rotary_factor is {part}; only 1 is computed");
        // Parameters per kind of layer, as models with sliding windows have them.
        if (scaling.Has("full_attention") || scaling.Has("sliding_attention")) throw scaling.Refused("rope_parameters differ by layer, which is not computed");
        return (name ?? older) switch
        {
            null when scaling.Has("factor") => throw scaling.Refused("rope_scaling has a factor and no rope_type"),
            null or "default" => Plain(theta),
            "linear" => new RopeParameters(RopeKind.Linear, theta, scaling.Positive("factor"), 1, 1, 0),
            "llama3" => ReadLlama3(scaling, theta),
            var other => throw scaling.Refused($"rope_type is {Quoted.Of(other)}; default, linear and llama3 are computed"),
        };
    }

    private static RopeParameters ReadLlama3(JsonFields scaling, float theta)
    {
        var (low, high) = (scaling.Positive("low_freq_factor"), scaling.Positive("high_freq_factor"));
        if (low >= high) throw scaling.Refused($"low_freq_factor is {low}, not below high_freq_factor, {high}");
        return new RopeParameters(
            RopeKind.Llama3, theta, scaling.Positive("factor"), low, high, scaling.Integer("original_max_position_embeddings", 1, MaxContext));
    }

    private static RopeParameters Plain(float theta) => new(RopeKind.Plain, theta, 1, 1, 1, 0);
}
