using System.Runtime.InteropServices;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>Reads a session's declared inputs and outputs.</summary>
internal static unsafe class OrtSignature
{
    // Shapes travel on the stack; no real tensor comes near.
    private const int MaxRank = 8;

    /// <exception cref="ModelLoadException">A value is not a tensor of a served type and rank.</exception>
    public static IReadOnlyList<TensorSpec> Read(OrtApi api, nint session, string modelName, bool inputs)
    {
        nuint count;
        OrtStatus.Check(api, inputs ? api.SessionGetInputCount(session, &count) : api.SessionGetOutputCount(session, &count), "count values");
        if (count == 0) throw new ModelLoadException(ModelLoadReason.Unsupported, $"model '{modelName}' has no {(inputs ? "inputs" : "outputs")}");
        var specs = new TensorSpec[(int)count];
        for (var i = 0; i < specs.Length; i++) specs[i] = ReadOne(api, session, modelName, inputs, (nuint)i);
        return specs;
    }

    private static TensorSpec ReadOne(OrtApi api, nint session, string modelName, bool inputs, nuint index)
    {
        var name = ReadName(api, session, inputs, index);
        nint raw;
        OrtStatus.Check(api, inputs ? api.SessionGetInputTypeInfo(session, index, &raw) : api.SessionGetOutputTypeInfo(session, index, &raw), "read type");
        using var typeInfo = new OrtHandle(raw, api.ReleaseTypeInfo);
        nint tensor;
        OrtStatus.Check(api, api.CastTypeInfoToTensorInfo(raw, &tensor), "cast type");
        if (tensor == 0) throw new ModelLoadException(ModelLoadReason.Unsupported, $"model '{modelName}': '{name}' is not a tensor");
        return ReadTensor(api, tensor, modelName, name);
    }

    private static TensorSpec ReadTensor(OrtApi api, nint tensor, string modelName, string name)
    {
        int type;
        nuint rank;
        OrtStatus.Check(api, api.GetTensorElementType(tensor, &type), "read element type");
        OrtStatus.Check(api, api.GetDimensionsCount(tensor, &rank), "read rank");
        if (!ElementTypes.IsServed((ElementType)type))
            throw new ModelLoadException(ModelLoadReason.Unsupported, $"model '{modelName}': '{name}' has element type {type}, which is not served");
        if (rank > MaxRank)
            throw new ModelLoadException(ModelLoadReason.Unsupported, $"model '{modelName}': '{name}' has rank {rank}, more than {MaxRank}");

        var dimensions = stackalloc long[MaxRank];
        var symbols = stackalloc byte*[MaxRank];
        OrtStatus.Check(api, api.GetDimensions(tensor, dimensions, rank), "read dimensions");
        OrtStatus.Check(api, api.GetSymbolicDimensions(tensor, symbols, rank), "read symbols");
        var names = new string?[(int)rank];
        for (var i = 0; i < names.Length; i++)
            names[i] = dimensions[i] < 0 && symbols[i] is not null && symbols[i][0] != 0 ? Marshal.PtrToStringUTF8((nint)symbols[i]) : null;
        return new TensorSpec(name, (ElementType)type, new ReadOnlySpan<long>(dimensions, (int)rank), names);
    }

    private static string ReadName(OrtApi api, nint session, bool inputs, nuint index)
    {
        nint allocator;
        byte* name;
        OrtStatus.Check(api, api.GetAllocatorWithDefaultOptions(&allocator), "get allocator");
        OrtStatus.Check(api, inputs ? api.SessionGetInputName(session, index, allocator, &name) : api.SessionGetOutputName(session, index, allocator, &name), "read name");
        var text = Marshal.PtrToStringUTF8((nint)name) ?? "";
        OrtStatus.Check(api, api.AllocatorFree(allocator, name), "free name");
        return text;
    }
}
