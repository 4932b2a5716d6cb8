using System.Buffers;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>What <c>og evidence</c> prints: for people one fact per line, or one JSON object.</summary>
internal static class EvidenceReport
{
    public static void Inspect(TextWriter output, byte[] evidence, PlatformKind? kind)
    {
        output.WriteLine($"kind     {(kind is { } known ? known.Text() : "unknown")}");
        output.WriteLine($"size     {evidence.Length} bytes");
        output.WriteLine($"sha-256  {Hash256.Sha256(evidence)}");
    }

    public static void Write(TextWriter output, AttestationResult result, bool asJson)
    {
        if (asJson) WriteJson(output, result);
        else WriteText(output, result);
    }

    private static void WriteJson(TextWriter output, AttestationResult result)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true })) AttestationJson.Write(writer, result);
        output.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private static void WriteText(TextWriter output, AttestationResult result)
    {
        output.WriteLine($"{AttestationJson.Text(result.Status)} at {result.At.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} by policy {result.Policy}");
        foreach (var reason in result.Reasons) output.WriteLine($"{AttestationJson.Text(reason.Check)}: {OneLine(reason.Detail)}");
        if (result.Identity is { } identity) output.WriteLine($"identity     {identity}");
        if (result.Claims is not { } claims) return;
        output.WriteLine($"platform     {claims.Kind} {OneLine(claims.Product ?? "")}".TrimEnd());
        foreach (var (name, value) in claims.Measurements.OrderBy(entry => entry.Key, StringComparer.Ordinal)) output.WriteLine($"measurement  {OneLine(name)} {value}");
        if (claims.IsDebug is { } isDebug) output.WriteLine($"debug        {(isDebug ? "yes" : "no")}");
        if (claims.Tcb is { } tcb) output.WriteLine($"tcb          {OneLine(tcb)}");
        foreach (var advisory in claims.Advisories) output.WriteLine($"advisory     {OneLine(advisory)}");
        if (claims.Time is { } time) output.WriteLine($"time         {time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.FFF'Z'}");
        if (!claims.ReportData.IsEmpty) output.WriteLine($"report data  {Convert.ToHexStringLower(claims.ReportData.Span)}");
        if (!claims.Nonce.IsEmpty) output.WriteLine($"nonce        {Convert.ToHexStringLower(claims.Nonce.Span)}");
        if (!claims.PublicKey.IsEmpty) output.WriteLine($"public key   {Convert.ToHexStringLower(claims.PublicKey.Span)}");
        if (claims.Boot is { } boot) output.WriteLine($"starts       {Starts(boot)}");
        if (claims.Chip is { } chip) output.WriteLine($"chip         {OneLine(chip)}");
    }

    private static string Starts(BootClaim boot)
    {
        var since = boot.IsStartedAnew switch { true => ", started anew since it was seen last", false => ", running on since it was seen last", null => "" };
        return $"{boot.Resets} resets, {boot.Restarts} restarts, {boot.ClockMilliseconds} ms under power{since}";
    }

    // Evidence holds texts of others; none of them writes a line of its own.
    private static string OneLine(string text) => string.Concat(text.Select(letter => char.IsControl(letter) ? '?' : letter));
}
