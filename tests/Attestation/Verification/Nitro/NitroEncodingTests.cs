using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Nitro;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nitro;

/// <summary>Everything here is rightly signed; only the bytes are not exactly the format's.</summary>
public sealed class NitroEncodingTests
{
    private static readonly byte[] Payload = MockEnclave.Right.Payload, Signature = MockEnclave.Right.Sign(Payload);
    private static readonly byte[] Es384 = CborBytes.Bytes([0xA1, 0x01, 0x38, 0x22]), NoHeader = CborBytes.Map();

    private static AttestationResult Verify(byte[] evidence) => NitroVerifier.Verify(evidence, MockEnclave.Context());

    private static AttestationResult VerifyFields(MockEnclave enclave) => Verify(enclave.Document());

    [Fact]
    public void Verify_MapOfIndefiniteLength_IsAccepted() => Judged.Accepted(Verify(MockEnclave.Right.Envelope(CborBytes.OpenMap(MockEnclave.Right.Entries))));

    [Fact]
    public void Verify_FieldsInAnotherOrder_IsAccepted() =>
        Judged.Accepted(VerifyFields(MockEnclave.Right with { Fields = [.. MockEnclave.Right.Fields.Reverse()] }));

    public static TheoryData<string> Envelopes =>
    [
        "empty", "tag", "tag twice", "other tag", "trailing", "truncated", "five", "three", "open array", "unprotected", "detached", "wide payload length", "chunked payload",
        "length bomb", "nesting bomb", "short signature", "long signature", "DER signature", "empty signature", "no map for the unprotected header",
    ];

    [Theory, MemberData(nameof(Envelopes))]
    public void Verify_EnvelopeOfAnotherForm_IsRefusedForItsEncoding(string how)
    {
        var payload = CborBytes.Bytes(Payload);
        var signature = CborBytes.Bytes(Signature);
        var right = CborBytes.Array(Es384, NoHeader, payload, signature);
        byte[] evidence = how switch
        {
            "empty" => [],
            "tag" => [0xD2, .. right],
            "tag twice" => [0xD2, 0xD2, .. right],
            "other tag" => [0xD1, .. right],
            "trailing" => [.. right, 0],
            "truncated" => right[..^1],
            "five" => CborBytes.Array(Es384, NoHeader, payload, signature, CborBytes.Null),
            "three" => CborBytes.Array(Es384, NoHeader, payload),
            "open array" => [0x9F, .. right.AsSpan(1), 0xFF],
            "unprotected" => CborBytes.Array(Es384, CborBytes.Map((CborBytes.Number(4), CborBytes.Bytes([1]))), payload, signature),
            "detached" => CborBytes.Array(Es384, NoHeader, CborBytes.Null, signature),
            "wide payload length" => CborBytes.Array(Es384, NoHeader, [.. CborBytes.Wide(2, (ulong)Payload.Length, 4), .. Payload], signature),
            "chunked payload" => CborBytes.Array(Es384, NoHeader, [0x5F, .. payload, 0xFF], signature),
            "length bomb" => CborBytes.Array(Es384, NoHeader, CborBytes.Head(2, long.MaxValue), signature),
            "nesting bomb" => [.. Enumerable.Repeat((byte)0x81, NitroVerifier.LargestEvidence)],
            "short signature" => CborBytes.Array(Es384, NoHeader, payload, CborBytes.Bytes(Signature.AsSpan(0, 95))),
            "long signature" => CborBytes.Array(Es384, NoHeader, payload, CborBytes.Bytes([.. Signature, 0])),
            "DER signature" => CborBytes.Array(Es384, NoHeader, payload, CborBytes.Bytes([0x30, 0x64, 0x02, 0x30, .. Signature.AsSpan(0, 48), 0x02, 0x30, .. Signature.AsSpan(48)])),
            "empty signature" => CborBytes.Array(Es384, NoHeader, payload, CborBytes.Bytes([])),
            _ => CborBytes.Array(Es384, CborBytes.Null, payload, signature),
        };
        Judged.RefusedFor(AttestationCheck.Encoding, Verify(evidence));
    }

    public static TheoryData<byte[]> Algorithms => [[0xA1, 0x01, 0x26], [0xA0], [], [0xA1, 0x01, 0x39, 0x00, 0x22], [0xA2, 0x01, 0x38, 0x22, 0x04, 0x40]];

    [Theory, MemberData(nameof(Algorithms))]
    public void Verify_OtherAlgorithm_IsRefusedForItsVersion(byte[] header) => Judged.RefusedFor(
        AttestationCheck.Version, Verify(CborBytes.Array(CborBytes.Bytes(header), NoHeader, CborBytes.Bytes(Payload), CborBytes.Bytes(Signature))));

    public static TheoryData<string> Signatures => ["zero", "r zero", "s zero", "r is n", "s is n", "swapped"];

    [Theory, MemberData(nameof(Signatures))]
    public void Verify_SignatureOutOfRange_IsRefusedForTheSignature(string how)
    {
        var order = Convert.FromHexString("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973");
        byte[] r = Signature[..48], s = Signature[48..], zero = new byte[48];
        byte[] signature = how switch
        {
            "zero" => [.. zero, .. zero],
            "r zero" => [.. zero, .. s],
            "s zero" => [.. r, .. zero],
            "r is n" => [.. order, .. s],
            "s is n" => [.. r, .. order],
            _ => [.. s, .. r],
        };
        Judged.RefusedFor(AttestationCheck.Signature, Verify(MockEnclave.Envelope(Payload, signature)));
    }

    public static TheoryData<string, byte[]> Values => new()
    {
        { "module_id", CborBytes.Text("") }, { "module_id", CborBytes.Bytes([0x69]) }, { "module_id", CborBytes.Text("i-1\u001b[2J") }, { "module_id", [0x62, 0xC3, 0x28] },
        { "module_id", CborBytes.Text(new string('a', 129)) }, { "digest", CborBytes.Text("SHA256") }, { "digest", CborBytes.Text("sha384") }, { "digest", CborBytes.Null },
        { "timestamp", CborBytes.Number(0) }, { "timestamp", CborBytes.Negative(0) }, { "timestamp", CborBytes.Number(ulong.MaxValue) },
        { "timestamp", CborBytes.Text("now") }, { "timestamp", CborBytes.Number(253_402_300_800_000) }, { "timestamp", [0xFB, 0x42, 0x78, 0, 0, 0, 0, 0, 0] },
        { "pcrs", CborBytes.Map() }, { "pcrs", CborBytes.Null }, { "pcrs", MockEnclave.PcrsWith((32, new byte[48])) }, { "pcrs", MockEnclave.PcrsWith((15, new byte[47])) },
        { "pcrs", MockEnclave.PcrsWith((15, new byte[32])) }, { "pcrs", MockEnclave.PcrsWith((15, new byte[49])) },
        { "pcrs", MockEnclave.Pcrs([(CborBytes.Number(0), MockEnclave.Pcr(0)), (CborBytes.Number(0), MockEnclave.Pcr(0))]) },
        { "pcrs", MockEnclave.Pcrs([(CborBytes.Number(0), MockEnclave.Pcr(0)), (CborBytes.Wide(0, 0, 1), MockEnclave.Pcr(0))]) },
        { "pcrs", MockEnclave.Pcrs([(CborBytes.Negative(0), MockEnclave.Pcr(0))]) }, { "pcrs", MockEnclave.Pcrs([(CborBytes.Text("0"), MockEnclave.Pcr(0))]) },
        { "pcrs", CborBytes.OpenMap((CborBytes.Number(0), CborBytes.Bytes(MockEnclave.Pcr(0)))) },
        { "certificate", CborBytes.Bytes([]) }, { "certificate", CborBytes.Bytes(new byte[1025]) }, { "certificate", CborBytes.Null }, { "cabundle", CborBytes.Array() },
        { "cabundle", CborBytes.Array(CborBytes.Bytes([])) }, { "cabundle", CborBytes.Array(CborBytes.Bytes(new byte[1025])) }, { "cabundle", CborBytes.Null },
        { "cabundle", CborBytes.Array([.. Enumerable.Repeat(CborBytes.Bytes([1]), 9)]) }, { "cabundle", [0x9F, .. CborBytes.Bytes([1]), 0xFF] },
        { "public_key", CborBytes.Bytes([]) }, { "public_key", CborBytes.Bytes(new byte[1025]) }, { "public_key", CborBytes.Text("key") },
        { "user_data", CborBytes.Bytes(new byte[513]) }, { "user_data", CborBytes.Text("data") }, { "user_data", [0xF7] },
        { "nonce", CborBytes.Bytes(new byte[513]) }, { "nonce", CborBytes.Text("nonce") }, { "nonce", [0x5F, 0x41, 0x01, 0xFF] }, { "nonce", [0xF4] },
    };

    [Theory, MemberData(nameof(Values))]
    public void Verify_FieldOfAnotherForm_IsRefusedForItsEncoding(string name, byte[] value) =>
        Judged.RefusedFor(AttestationCheck.Encoding, VerifyFields(MockEnclave.Right.With(name, value)));

    [Theory]
    [InlineData("module_id")]
    [InlineData("digest")]
    [InlineData("timestamp")]
    [InlineData("pcrs")]
    [InlineData("certificate")]
    [InlineData("cabundle")]
    public void Verify_FieldMissing_IsRefusedForItsEncoding(string name) => Judged.RefusedFor(AttestationCheck.Encoding, VerifyFields(MockEnclave.Right.Without(name)));

    [Theory]
    [InlineData("module_id")]
    [InlineData("nonce")]
    [InlineData("future")]
    public void Verify_FieldTwiceOrUnknown_IsRefusedForItsEncoding(string name)
    {
        var enclave = MockEnclave.Right.And(name, CborBytes.Null);
        Judged.RefusedFor(AttestationCheck.Encoding, VerifyFields(enclave));
        Judged.RefusedFor(AttestationCheck.Encoding, Verify(enclave.Envelope(CborBytes.OpenMap(enclave.Entries))));
    }

    [Fact]
    public void Verify_NameThatIsNotMinimal_IsRefusedForItsEncoding()
    {
        byte[] name = [.. CborBytes.Wide(3, 5, 1), .. "nonce"u8];
        var payload = CborBytes.Map([.. MockEnclave.Right.Without("nonce").Entries, (name, CborBytes.Bytes(MockEnclave.Nonce))]);
        Judged.RefusedFor(AttestationCheck.Encoding, Verify(MockEnclave.Right.Envelope(payload)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Verify_SignedBytesAfterTheMap_IsRefusedForItsEncoding(bool open)
    {
        byte[] payload = open ? [.. CborBytes.OpenMap(MockEnclave.Right.Entries), 0xFF] : [.. Payload, 0];
        Judged.RefusedFor(AttestationCheck.Encoding, Verify(MockEnclave.Right.Envelope(payload)));
    }

    [Fact]
    public void Verify_OpenMapWithoutEnd_IsRefusedForItsEncoding() =>
        Judged.RefusedFor(AttestationCheck.Encoding, Verify(MockEnclave.Right.Envelope(CborBytes.OpenMap(MockEnclave.Right.Entries)[..^1])));

    [Fact]
    public void Verify_LargestOptionalFields_AreAccepted()
    {
        var enclave = MockEnclave.Right.With("public_key", CborBytes.Bytes(new byte[1024])).With("user_data", CborBytes.Bytes(new byte[512])).With("nonce", CborBytes.Bytes(new byte[512]));
        Judged.Accepted(NitroVerifier.Verify(enclave.Document(), MockEnclave.Context() with { Nonce = new byte[512], ReportData = new byte[512] }));
    }
}
