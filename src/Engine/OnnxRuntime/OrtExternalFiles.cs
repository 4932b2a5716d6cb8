using System.Text;
using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>Hands a model's other files to the library from memory, under the names that <see cref="OnnxRewriter"/> put into the model.</summary>
internal static unsafe class OrtExternalFiles
{
    /// <summary>
    /// Whether a session of this version has its own copy of what it was given, so that the files' memory can be freed. Seen
    /// by test with 1.27; with every other version the memory stays with the model, which costs its size and nothing else.
    /// </summary>
    public static bool AreCopied(string version) => version.StartsWith("1.27.", StringComparison.Ordinal);

    public static void Add(OrtApi api, OrtHandle options, IReadOnlyList<ArtifactFile> files)
    {
        if (files.Count == 0) return;
        var names = stackalloc byte*[1];
        var buffers = stackalloc byte*[1];
        var lengths = stackalloc nuint[1];
        for (var i = 0; i < files.Count; i++)
        {
            fixed (byte* name = Encoding.UTF8.GetBytes(OnnxRewriter.NameOf(i) + '\0'))
            {
                names[0] = name;
                buffers[0] = files[i].Memory.Pointer;
                lengths[0] = (nuint)files[i].Memory.Length;
                OrtStatus.Check(api, api.AddExternalFiles(options.Value, names, buffers, lengths, 1), "hand over the model's files");
            }
        }
    }
}
