namespace OpenGradient.Engine.Attestation.Verification.Nitro;

/// <summary>The attestation document (aws-nitro-enclaves-nsm-api, docs/attestation_process.md). Read strictly; nothing in it is judged here.</summary>
internal sealed record NitroDocument
{
    public const int PcrSize = 48, MostPcrs = 32, MostBundle = 8;

    // 9999-12-31T23:59:59.999Z: what a DateTimeOffset can say.
    private const ulong LatestTimestamp = 253_402_300_799_999;

    public required string ModuleId { get; init; }

    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>By index; each 48 bytes.</summary>
    public required IReadOnlyDictionary<int, ReadOnlyMemory<byte>> Pcrs { get; init; }

    public required ReadOnlyMemory<byte> Certificate { get; init; }

    /// <summary>From the root to the certificate's issuer, as the document has it.</summary>
    public required IReadOnlyList<ReadOnlyMemory<byte>> Bundle { get; init; }

    public ReadOnlyMemory<byte>? PublicKey { get; init; }

    public ReadOnlyMemory<byte>? UserData { get; init; }

    public ReadOnlyMemory<byte>? Nonce { get; init; }

    /// <returns>Null, with a reason (Encoding), where it is not one.</returns>
    public static NitroDocument? Read(ReadOnlyMemory<byte> payload, ReasonList reasons)
    {
        try
        {
            return new Fields(payload).Document();
        }
        catch (FormatException e)
        {
            reasons.Refuse(AttestationCheck.Encoding, e.Message);
            return null;
        }
    }

    // The fields as they are found, in any order; a second one of a name is refused.
    private ref struct Fields
    {
        private const int MostFields = 9;

        private readonly Dictionary<int, ReadOnlyMemory<byte>> _pcrs = [];
        private readonly List<ReadOnlyMemory<byte>> _bundle = [];
        private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
        private CborCursor _cursor;
        private string _module = "";
        private ulong _timestamp;
        private ReadOnlyMemory<byte> _certificate;
        private ReadOnlyMemory<byte>? _publicKey, _userData, _nonce;

        public Fields(ReadOnlyMemory<byte> payload) => _cursor = new CborCursor(payload);

        public NitroDocument Document()
        {
            ReadMap();
            _cursor.End("document");
            foreach (var name in (ReadOnlySpan<string>)["module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"])
                if (!_seen.Contains(name)) throw new FormatException($"{name} is missing");
            return new NitroDocument
            {
                ModuleId = _module, Timestamp = DateTimeOffset.FromUnixTimeMilliseconds((long)_timestamp), Pcrs = _pcrs, Certificate = _certificate,
                Bundle = _bundle, PublicKey = _publicKey, UserData = _userData, Nonce = _nonce,
            };
        }

        // Since late 2025 the NSM writes this map, and only this one, with indefinite length.
        private void ReadMap()
        {
            if (_cursor.TakeOpenMap())
            {
                while (!_cursor.TakeBreak()) ReadField();
                return;
            }

            var entries = _cursor.Entries("document", 1, MostFields);
            for (var i = 0; i < entries; i++) ReadField();
        }

        // A field that this program does not know is refused: what it would mean cannot be judged.
        private void ReadField()
        {
            var name = _cursor.Text("a field's name", 1, 32);
            if (!_seen.Add(name)) throw new FormatException("a field occurs twice");
            switch (name)
            {
                case "module_id": _module = ModuleName(_cursor.Text(name, 1, 128)); break;
                case "digest": CheckDigest(_cursor.Text(name, 1, 16)); break;
                case "timestamp": _timestamp = Milliseconds(_cursor.Number(name)); break;
                case "pcrs": ReadPcrs(); break;
                case "certificate": _certificate = _cursor.Bytes(name, 1, 1024); break;
                case "cabundle": ReadBundle(); break;
                case "public_key": _publicKey = Optional(name, 1, 1024); break;
                case "user_data": _userData = Optional(name, 0, 512); break;
                case "nonce": _nonce = Optional(name, 0, 512); break;
                default: throw new FormatException("a field of a name that is not known");
            }
        }

        private void ReadPcrs()
        {
            var count = _cursor.Entries("pcrs", 1, MostPcrs);
            for (var i = 0; i < count; i++)
            {
                var index = _cursor.Number("a PCR's index");
                if (index >= MostPcrs) throw new FormatException($"PCR {index} does not exist");
                if (!_pcrs.TryAdd((int)index, _cursor.Bytes("a PCR", PcrSize, PcrSize))) throw new FormatException($"PCR {index} occurs twice");
            }
        }

        private void ReadBundle()
        {
            var count = _cursor.Elements("cabundle", 1, MostBundle);
            for (var i = 0; i < count; i++) _bundle.Add(_cursor.Bytes("a certificate of cabundle", 1, 1024));
        }

        // A bare null would convert to empty memory.
        private ReadOnlyMemory<byte>? Optional(string name, int least, int most) =>
            _cursor.TakeNull() ? default(ReadOnlyMemory<byte>?) : _cursor.Bytes(name, least, most);

        // It is shown to people.
        private static string ModuleName(string text) =>
            text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_') ? text : throw new FormatException("module_id has a character that it cannot have");

        private static void CheckDigest(string text)
        {
            if (text != "SHA384") throw new FormatException("digest is not SHA384");
        }

        private static ulong Milliseconds(ulong value) =>
            value is > 0 and <= LatestTimestamp ? value : throw new FormatException($"timestamp {value} is not a time");
    }
}
