using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine.Models;

/// <summary>What a model's file is, and with it which backend opens it.</summary>
public enum ModelFormat
{
    /// <summary>ONNX, a protobuf message; executed by ONNX Runtime.</summary>
    Onnx,

    /// <summary>TorchScript, a zip archive; executed by libtorch.</summary>
    TorchScript,
}

/// <summary>
/// Tells formats apart by their first bytes, never by a name: which backend executes follows from the bytes that a statement's
/// model identity covers. A protobuf message that began as a zip archive does would begin with a field that ONNX does not have.
/// </summary>
public static class ModelFormats
{
    // APPNOTE.TXT 4.3.7: the signature of a local file header.
    private static ReadOnlySpan<byte> Zip => "PK\x03\x04"u8;

    /// <summary>The format of a model that is in memory.</summary>
    public static unsafe ModelFormat Of(ReadOnlyNativeMemory model) =>
        Of(new ReadOnlySpan<byte>(model.Pointer, (int)Math.Min(model.Length, Zip.Length)));

    /// <summary>The format of a file; ONNX where it cannot be read, so that its loader says why.</summary>
    public static ModelFormat OfFile(string path)
    {
        try
        {
            Span<byte> first = stackalloc byte[Zip.Length];
            using var file = ModelFile.OpenRegular(path, within: null);
            return Of(first[..RandomAccess.Read(file, first, 0)]);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ModelFormat.Onnx;
        }
    }

    private static ModelFormat Of(ReadOnlySpan<byte> first) => first.SequenceEqual(Zip) || IsPickle(first) ? ModelFormat.TorchScript : ModelFormat.Onnx;

    // Pickles of protocol 2 to 5: what torch.save once wrote. libtorch's shim refuses them, in words that fit.
    private static bool IsPickle(ReadOnlySpan<byte> first) => first is [0x80, >= 2 and <= 5, ..];
}
