using System.Runtime.InteropServices;
using System.Text;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Interop;

/// <summary>Lays <see cref="EpochOptions"/> out as og_epoch_config for one call.</summary>
internal static unsafe class EpochOpening
{
    public static nint Open(ShimFunctions functions, EpochOptions options, ulong hostSeconds)
    {
        if (options.Attester == EvidenceKind.Software && options.SoftwareRoot is null)
            throw new ArgumentException("the software attester needs a development root", nameof(options));
        NativeEpochConfig config = default;
        options.LogId.Bytes.CopyTo(new Span<byte>(config.LogId, Hash256.Size));
        options.Contract.CopyTo(new Span<byte>(config.Contract, EvmAddress.Size));
        config.Attester = (ushort)options.Attester;
        config.ChainId = options.ChainId;
        config.HostSeconds = hostSeconds;

        var (names, libraries) = Lay(options.Libraries);
        nint epoch;
        NativeError error;
        var root = options.SoftwareRoot is null ? default : options.SoftwareRoot.Secret;
        var named = Encoding.UTF8.GetBytes(options.Device);
        fixed (byte* nameBytes = names, nonce = options.Nonce.Span, secret = root, device = named)
        fixed (NativeLibraryName* list = libraries)
        {
            var name = nameBytes;
            for (var i = 0; i < libraries.Length; name += list[i].NameSize, i++) list[i].Name = name;
            config.Libraries = list;
            config.LibraryCount = (nuint)libraries.Length;
            config.Nonce = nonce;
            config.NonceSize = (nuint)options.Nonce.Length;
            config.RootSecret = secret;
            config.Device = device;
            config.DeviceSize = (nuint)named.Length;
            ShimStatus.Check(functions.EpochOpen(&config, &epoch, &error), error);
        }

        return epoch;
    }

    // All names in one array, so that one pin holds them; the pointers are set once it is pinned.
    private static (byte[] Names, NativeLibraryName[] Libraries) Lay(IReadOnlyList<(string Name, Hash256 Digest)> libraries)
    {
        var names = libraries.Select(library => Encoding.UTF8.GetBytes(library.Name)).ToArray();
        var entries = new NativeLibraryName[libraries.Count];
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i].NameSize = (nuint)names[i].Length;
            fixed (byte* digest = entries[i].Digest)
                libraries[i].Digest.Bytes.CopyTo(new Span<byte>(digest, Hash256.Size));
        }

        // one byte more, so that no name gives a null pointer
        return ([.. names.SelectMany(name => name), 0], entries);
    }
}
