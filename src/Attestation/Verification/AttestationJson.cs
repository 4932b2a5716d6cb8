using System.Text.Json;

namespace OpenGradient.Engine.Attestation.Verification;

/// <summary>A result for programs: one JSON object, every name always there, what is not known null.</summary>
public static class AttestationJson
{
    public static void Write(Utf8JsonWriter writer, AttestationResult result)
    {
        writer.WriteStartObject();
        writer.WriteString("status", Text(result.Status));
        writer.WriteStartArray("reasons");
        foreach (var reason in result.Reasons)
        {
            writer.WriteStartObject();
            writer.WriteString("check", Text(reason.Check));
            writer.WriteString("detail", reason.Detail);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("identity", result.Identity?.ToString());
        writer.WriteString("policy", result.Policy.ToString());
        writer.WriteString("at", Time(result.At));
        if (result.Claims is { } claims) WriteClaims(writer, claims);
        else writer.WriteNull("claims");
        writer.WriteEndObject();
    }

    /// <summary>"accepted", "refused", "unverifiable".</summary>
    public static string Text(AttestationStatus status) => status switch
    {
        AttestationStatus.Accepted => "accepted",
        AttestationStatus.Refused => "refused",
        _ => "unverifiable",
    };

    /// <summary>"chain-time": the check's name in lower case, words joined by hyphens.</summary>
    public static string Text(AttestationCheck check) => JsonNamingPolicy.KebabCaseLower.ConvertName(check.ToString());

    private static void WriteClaims(Utf8JsonWriter writer, AttestationClaims claims)
    {
        writer.WriteStartObject("claims");
        writer.WriteString("kind", claims.Kind);
        writer.WriteString("product", claims.Product);
        writer.WriteStartObject("measurements");
        foreach (var (name, value) in claims.Measurements.OrderBy(entry => entry.Key, StringComparer.Ordinal)) writer.WriteString(name, value);
        writer.WriteEndObject();
        if (claims.IsDebug is { } isDebug) writer.WriteBoolean("debug", isDebug);
        else writer.WriteNull("debug");
        writer.WriteString("tcb", claims.Tcb);
        writer.WriteStartArray("advisories");
        foreach (var advisory in claims.Advisories) writer.WriteStringValue(advisory);
        writer.WriteEndArray();
        writer.WriteString("time", claims.Time is { } time ? Time(time) : null);
        writer.WriteString("reportData", Convert.ToHexStringLower(claims.ReportData.Span));
        writer.WriteString("nonce", Convert.ToHexStringLower(claims.Nonce.Span));
        writer.WriteString("publicKey", claims.PublicKey.IsEmpty ? null : Convert.ToHexStringLower(claims.PublicKey.Span));
        writer.WriteString("chip", claims.Chip);
        if (claims.Boot is { } boot) WriteBoot(writer, boot);
        else writer.WriteNull("boot");
        writer.WriteEndObject();
    }

    private static void WriteBoot(Utf8JsonWriter writer, BootClaim boot)
    {
        writer.WriteStartObject("boot");
        writer.WriteNumber("resets", boot.Resets);
        writer.WriteNumber("restarts", boot.Restarts);
        writer.WriteNumber("clockMilliseconds", boot.ClockMilliseconds);
        if (boot.IsStartedAnew is { } isAnew) writer.WriteBoolean("startedAnew", isAnew);
        else writer.WriteNull("startedAnew");
        writer.WriteEndObject();
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFF'Z'");
}
