using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement;

namespace OpenGradient.Engine.Hosting.Configuration;

/// <summary>The published log.</summary>
public sealed record LogConfiguration
{
    /// <summary>Witnesses that every checkpoint is submitted to; none by default, for they are other people's machines.</summary>
    public IReadOnlyList<WitnessConfiguration> Witnesses { get; init; } = [];

    // A checkpoint's note must stay small, and each witness is asked once per checkpoint.
    private const int MaxWitnesses = 16;

    internal static void Check(LogConfiguration log, List<string> errors)
    {
        if (log.Witnesses.Count > MaxWitnesses) errors.Add($"log.witnesses: at most {MaxWitnesses}");
        var names = new HashSet<string>();
        for (var i = 0; i < log.Witnesses.Count; i++)
        {
            var (witness, key) = (log.Witnesses[i], $"log.witnesses[{i}]");
            if (ConfigurationCheck.Address(witness.Url) is null) errors.Add($"{key}.url: '{witness.Url}' is not an http or https address");
            try
            {
                var verifier = VerifierKey.Parse(witness.Key);
                if (verifier.Type != NoteKeyType.Cosignature) errors.Add($"{key}.key: not a witness's verifier key (type 4)");
                if (!names.Add(verifier.Name)) errors.Add($"{key}.key: the witness {verifier.Name} is listed already");
            }
            catch (FormatException wrong)
            {
                errors.Add($"{key}.key: {wrong.Message}");
            }
        }
    }

    internal IReadOnlyList<WitnessAddress> Addresses() => [.. Witnesses.Select(witness => new WitnessAddress(VerifierKey.Parse(witness.Key), new Uri(witness.Url)))];
}

public sealed record WitnessConfiguration
{
    /// <summary>The witness's verifier key, name and all, as <c>og witness key</c> prints it.</summary>
    public string Key { get; init; } = "";

    /// <summary>Its submission prefix (C2SP tlog-witness).</summary>
    public string Url { get; init; } = "";
}
