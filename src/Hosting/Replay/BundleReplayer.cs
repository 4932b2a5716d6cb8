using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Backends;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Verification;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Hosting.Replay;

/// <summary>
/// Executes the rows of receipts again, in whatever process holds the model: no host, no data folder and no chain is needed.
/// It asks whether the bits can be had again; who signed the receipt is asked of <see cref="BundleVerifier"/>. Used by one
/// thread at a time.
/// </summary>
public sealed class BundleReplayer : IDisposable
{
    private readonly ReceiptReplayer _receipts;

    /// <param name="library">ONNX Runtime's library; null looks in the documented places.</param>
    /// <exception cref="OnnxRuntimeException">The library cannot be used; the message names it.</exception>
    public BundleReplayer(string? library = null) : this(library, new TorchConfiguration()) { }

    /// <param name="library">ONNX Runtime's library; null looks in the documented places.</param>
    /// <param name="torch">How TorchScript models execute; its library is loaded with the first of them.</param>
    /// <exception cref="OnnxRuntimeException">The library cannot be used; the message names it.</exception>
    public BundleReplayer(string? library, TorchConfiguration torch) => _receipts = new ReceiptReplayer(ModelBackends.Of(OnnxRuntimeLibrary.Load(library), torch));

    /// <summary>Executes a bundle's row again.</summary>
    /// <param name="model">The model's file, or a folder in which the receipt's model is found by name and identity: the model's own, or one of several.</param>
    /// <param name="inputs">The request's tensors, by name, in any order.</param>
    /// <param name="answer">The answer as it was saved, to say which element differs; null when only the receipt is left.</param>
    /// <param name="tolerance">For an answer whose bits cannot be had here; null for <see cref="ReplayTolerance.Default"/>.</param>
    /// <exception cref="ConfigurationException">The folder holds no model of the receipt's name.</exception>
    /// <exception cref="ModelLoadException">The file cannot be read.</exception>
    public ReplayResult Replay(ReceiptBundle bundle, string model, IReadOnlyList<NamedTensor> inputs, KnownAnswer? answer = null, double? tolerance = null)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        return _receipts.Replay(new ReplayItem(bundle.Receipt, inputs, answer), FileOf(bundle.Receipt, model), tolerance);
    }

    public void Dispose() => _receipts.Dispose();

    private string FileOf(Receipt receipt, string model)
    {
        if (File.Exists(model)) return model;
        try
        {
            return ModelFinder.Find(model, Statement.Decode(receipt.Statement.Span).Context, _receipts.IdentityOf);
        }
        catch (FormatException)
        {
            // The replay says what is wrong with the statement, and opens nothing.
            return model;
        }
    }
}
