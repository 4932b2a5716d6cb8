using OpenGradient.Engine.Native;
using OpenGradient.Engine.Tensors;
using OpenGradient.Engine.Torch.Interop;

namespace OpenGradient.Engine.Torch;

/// <summary>
/// Reads a module's declared inputs and outputs. TorchScript knows neither types nor shapes; they stand in the archive's
/// extra file <c>opengradient.signature</c> (og_torch.h, "The signature"), so that the model's identity covers them.
/// </summary>
internal static unsafe class TorchSignature
{
    public const uint Input = 0, Output = 1;

    /// <exception cref="ModelLoadException">There is no signature, or a value is not of a served type and rank.</exception>
    public static IReadOnlyList<TensorSpec> Read(TorchFunctions functions, nint module, string modelName, uint direction, uint count)
    {
        var what = direction == Input ? "inputs" : "outputs";
        if (count == 0) throw Unsupported(modelName, $"has no {what}");
        if (count > TorchLimits.MaxValues) throw Unsupported(modelName, $"has {count} {what}, more than {TorchLimits.MaxValues}");
        var specs = new TensorSpec[(int)count];
        for (var i = 0; i < specs.Length; i++) specs[i] = ReadOne(functions, module, modelName, direction, (uint)i);
        return specs;
    }

    private static TensorSpec ReadOne(TorchFunctions functions, nint module, string modelName, uint direction, uint index)
    {
        NativeValue value;
        NativeError error;
        TorchCheck.CheckLoad(functions.ModuleValue(module, direction, index, &value, &error), error, modelName);
        var name = NativeText.Read(value.Name, NativeValue.NameSize);
        if (!ElementTypes.IsServed((ElementType)value.Type)) throw Unsupported(modelName, $"declares '{name}' with element type {value.Type}, which is not served");
        if (value.Rank > TorchLimits.MaxRank) throw Unsupported(modelName, $"declares '{name}' with rank {value.Rank}, more than {TorchLimits.MaxRank}");
        var rank = (int)value.Rank;
        var symbols = new string?[rank];
        for (var i = 0; i < rank; i++)
        {
            var symbol = NativeText.Read(value.Symbols + (i * NativeValue.SymbolSize), NativeValue.SymbolSize);
            symbols[i] = value.Shape[i] < 0 && symbol.Length > 0 ? symbol : null;
        }

        return new TensorSpec(name, (ElementType)value.Type, new ReadOnlySpan<long>(value.Shape, rank), symbols);
    }

    private static ModelLoadException Unsupported(string modelName, string what) => new(ModelLoadReason.Unsupported, $"model '{modelName}' {what}");
}
