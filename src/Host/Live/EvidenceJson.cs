using System.Text.Json;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Hosting.Attesting;

namespace OpenGradient.Engine.Host.Live;

/// <summary>An epoch's evidence with what this host's own policy says of it. Whoever verifies decides by a policy of their own.</summary>
public static class EvidenceJson
{
    private const string Development = "development only: not trusted";

    /// <summary>"accepted", "refused", "unverifiable"; of software "development".</summary>
    public static string Status(JudgedEpoch judged) => judged.Evidence.Kind == EvidenceKind.Software ? "development" : AttestationJson.Text(judged.Found.Status);

    /// <summary>One line for people.</summary>
    public static string Verdict(JudgedEpoch judged, string? mock)
    {
        if (judged.Evidence.Kind == EvidenceKind.Software) return Development;
        var reasons = string.Join("; ", judged.Found.Failures.Select(failure => failure.Detail));
        var verdict = judged.Found.Status == AttestationStatus.Accepted ? "accepted by this host's policy" : $"{Status(judged)}: {reasons}";
        return mock is null ? verdict : $"{verdict} ({mock})";
    }

    public static void Write(Utf8JsonWriter json, Hash256 epoch, JudgedEpoch judged, string? mock)
    {
        json.WriteStartObject("evidence");
        json.WriteString("kind", ReceiptJson.KindName(judged.Evidence.Kind));
        json.WriteBoolean("trusted", judged.Evidence.Kind != EvidenceKind.Software && mock is null && judged.Found.Status == AttestationStatus.Accepted);
        json.WriteString("verdict", Verdict(judged, mock));
        json.WriteString("status", Status(judged));
        json.WriteString("epoch", epoch.ToString());
        json.WriteString("judged", judged.At.UtcDateTime);
        if (mock is not null) json.WriteString("warning", mock);
        json.WriteStartArray("reasons");
        foreach (var failure in judged.Found.Failures)
        {
            json.WriteStartObject();
            json.WriteString("reason", failure.Reason.Text());
            json.WriteString("detail", failure.Detail);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (judged.Found.Platform is { } platform) WritePlatform(json, platform);
        json.WriteEndObject();
    }

    private static void WritePlatform(Utf8JsonWriter json, AttestationResult platform)
    {
        json.WriteString("policy", platform.Policy.ToString());
        if (platform.Identity is { } identity) json.WriteString("identity", identity.ToString());
        if (platform.Claims is not { } claims) return;
        if (claims.Product is { } product) json.WriteString("product", product);
        if (claims.IsDebug is { } isDebug) json.WriteBoolean("debug", isDebug);
        json.WriteStartObject("measurements");
        foreach (var (name, value) in claims.Measurements.OrderBy(entry => entry.Key, StringComparer.Ordinal)) json.WriteString(name, value);
        json.WriteEndObject();
    }
}
