using System.Buffers;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>What <c>og evidence</c> prints: for people one fact per line, or one JSON object.</summary>
internal static class EvidenceReport
{
    /// <returns>Whether the file looks like evidence at all.</returns>
    public static bool Inspect(TextWriter output, byte[] evidence, PlatformKind? kind)
    {
        if (EvidenceFiles.Envelope(evidence) is { } envelope)
        {
            InspectEnvelope(output, envelope);
            kind = BoundEvidence.PlatformOf(envelope.Kind);
        }
        else
        {
            output.WriteLine(kind is { } known ? $"kind     {known.Text()}" : evidence.Length == 0 ? "kind     unknown: the file is empty" : "kind     unknown: it begins like no evidence");
        }

        output.WriteLine($"size     {evidence.Length} bytes");
        output.WriteLine($"sha-256  {Hash256.Sha256(evidence)}");
        return kind is not null || EvidenceFiles.Envelope(evidence) is not null;
    }

    private static void InspectEnvelope(TextWriter output, Evidence envelope)
    {
        output.WriteLine($"kind     {BoundEvidence.KindName(envelope.Kind)}, in an envelope");
        output.WriteLine($"epoch    {envelope.Epoch}");
        if (BoundEvidence.Binding(envelope) is not { } binding)
        {
            output.WriteLine("binding  malformed, or without a usable signing key");
            return;
        }

        output.WriteLine($"address  {EvmAddress.OfPublicKey(binding.SigningKey.Span)}");
        output.WriteLine($"build    {binding.BuildDigest}");
        output.WriteLine($"log      {binding.LogId}");
        output.WriteLine($"chain    {binding.ChainId} {binding.Contract}");
        output.WriteLine($"nonce    {Convert.ToHexStringLower(binding.Nonce.Span)}");
        output.WriteLine($"document {envelope.Document.Length} bytes, sha-256 {Hash256.Sha256(envelope.Document.Span)}");
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
