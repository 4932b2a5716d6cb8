using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Native;

/// <summary>The exports of one loaded library, by name.</summary>
/// <param name="library">What the loader returned; never unloaded.</param>
/// <param name="fileName">What it should be, for the refusal.</param>
/// <param name="refusal">Makes the exception of the room that loads it, given what is wrong with the file.</param>
internal sealed unsafe class LibraryExports(nint library, string fileName, Func<string, Exception> refusal)
{
    public nint this[string name] => NativeLibrary.TryGetExport(library, name, out var address)
        ? address
        : throw refusal($"it does not export {name}; it is not {fileName}, or an older one");

    /// <summary>Asks the library for its version and the size of each struct that crosses the border, before anything else of it is called.</summary>
    /// <param name="abiVersion">The export that says the version: <c>uint32_t f(void)</c>.</param>
    /// <param name="structSize">The export that says a struct's size by its number: <c>size_t f(uint32_t)</c>.</param>
    /// <param name="sizes">This host's, by number.</param>
    public void Handshake(string abiVersion, uint expected, string structSize, ReadOnlySpan<int> sizes)
    {
        var version = ((delegate* unmanaged[Cdecl]<uint>)this[abiVersion])();
        var sizeOf = (delegate* unmanaged[Cdecl]<uint, nuint>)this[structSize];
        if (version != expected) throw refusal($"its ABI version is {version}, this host needs {expected}");
        for (var kind = 0; kind < sizes.Length; kind++)
        {
            var size = sizeOf((uint)kind);
            if (size != (nuint)sizes[kind]) throw refusal($"its struct number {kind} has {size} bytes, this host's has {sizes[kind]}");
        }
    }
}
