using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>One thing besides model and input that can change output bits, and is another here than the statement says.</summary>
/// <param name="Field">For example <c>library version</c>, <c>option intra</c>.</param>
/// <param name="Stated">As signed; empty when the statement does not name it.</param>
/// <param name="Here">As it is where the row was executed again; empty when there is none.</param>
public sealed record FingerprintDifference(string Field, string Stated, string Here)
{
    public override string ToString() => $"{Field} {(Stated.Length == 0 ? "not stated" : Stated)}, here {(Here.Length == 0 ? "none" : Here)}";

    /// <summary>Everything that differs; empty when the statement's execution is the same as the one here.</summary>
    public static IReadOnlyList<FingerprintDifference> Between(RuntimeFingerprint stated, RuntimeFingerprint here)
    {
        var differences = new List<FingerprintDifference>();
        Add(differences, "backend", stated.Backend, here.Backend);
        Add(differences, "library version", stated.LibraryVersion, here.LibraryVersion);
        Add(differences, "library digest", stated.LibraryDigest.ToString(), here.LibraryDigest.ToString());
        Add(differences, "provider", stated.Provider, here.Provider);
        Add(differences, "device", stated.Device, here.Device);
        Add(differences, "precision", stated.Precision, here.Precision);
        var (statedOptions, hereOptions) = (SessionOptionsText.Parse(stated.Options), SessionOptionsText.Parse(here.Options));
        foreach (var name in statedOptions.Keys.Union(hereOptions.Keys).Where(SessionOptionsText.ChangesBits).Order(StringComparer.Ordinal))
            Add(differences, $"option {name}", statedOptions.GetValueOrDefault(name, ""), hereOptions.GetValueOrDefault(name, ""));
        return differences;
    }

    private static void Add(List<FingerprintDifference> differences, string field, string stated, string here)
    {
        if (stated != here) differences.Add(new FingerprintDifference(field, stated, here));
    }
}
