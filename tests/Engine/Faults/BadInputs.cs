using System.Runtime.InteropServices;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests.Faults;

/// <summary>A request that must be refused, with the kind and the words of its refusal.</summary>
/// <param name="Make">A fresh request: requests are not shared between callers.</param>
internal sealed record BadInput(string Name, InferenceFailureKind Kind, string Says, Func<InferenceRequest> Make);

/// <summary>Everything a caller can get wrong about a request, against the models of <see cref="Models"/>.</summary>
internal static class BadInputs
{
    public static ModelOptions[] Models { get; } =
    [
        Engines.Options("digits"), Engines.Options("add"), Engines.Options("multi"),
        Engines.Options("identity") with { NonFinite = NonFinitePolicy.Reject, MaxRequestBytes = 1 << 10 },
    ];

    public static IReadOnlyList<BadInput> All { get; } =
    [
        new("unknown model", InferenceFailureKind.UnknownModel, "no model 'nothing'", () => new InferenceRequest("nothing").Add<float>("x", [1], new float[1])),
        new("unknown version", InferenceFailureKind.UnknownModel, "version '9'", () => new InferenceRequest("digits", "9")),
        Wrong("no input", "'pixels' is missing", () => new InferenceRequest("digits")),
        Wrong("wrong name", "no input 'pixel'", () => new InferenceRequest("digits").Add<float>("pixel", [1, 64], new float[64])),
        Wrong("long name that ends within a character", "no input 'aaa", () => new InferenceRequest("digits").Add<float>(new string('a', 63) + "\U0001F600", [1, 64], new float[64])),
        Wrong("input twice", "given twice", () => Engines.Digits(new float[64]).Add<float>("pixels", [1, 64], new float[64])),
        Wrong("input too many", "no input 'more'", () => Engines.Digits(new float[64]).Add<float>("more", [1, 64], new float[64])),
        Wrong("wrong type", "type Float64", () => new InferenceRequest("digits").Add<double>("pixels", [1, 64], new double[64])),
        Wrong("type of none", "type None", () => new InferenceRequest("digits").Add("pixels", ElementType.None, [1, 64], new byte[256])),
        Wrong("type that does not exist", "type 99", () => new InferenceRequest("digits").Add("pixels", (ElementType)99, [1, 64], new byte[256])),
        Wrong("no rows", "shape [0,64]", () => new InferenceRequest("digits").Add<float>("pixels", [0, 64], Array.Empty<float>())),
        Wrong("negative rows", "shape [-1,64]", () => new InferenceRequest("digits").Add<float>("pixels", [-1, 64], new float[64])),
        Wrong("too narrow", "shape [1,63]", () => new InferenceRequest("digits").Add<float>("pixels", [1, 63], new float[63])),
        Wrong("no rank", "shape []", () => new InferenceRequest("digits").Add<float>("pixels", [], new float[1])),
        Wrong("rank of thousands", "rank 5000", () => new InferenceRequest("digits").Add<float>("pixels", Enumerable.Repeat(1L, 5000).ToArray(), new float[64])),
        Wrong("product that overflows", "takes too many", () => new InferenceRequest("digits").Add<float>("pixels", [1L << 60, 64], new float[64])),
        Wrong("product that wraps to the right size", "takes too many", () => new InferenceRequest("digits").Add<float>("pixels", [(1L << 56) + 1, 64], new float[64])),
        Wrong("bytes missing", "has 252 bytes", () => new InferenceRequest("digits").Add<float>("pixels", [1, 64], new float[63])),
        Wrong("part of an element", "has 255 bytes", () => new InferenceRequest("digits").Add("pixels", ElementType.Float32, [1, 64], new byte[255])),
        Wrong("no bytes", "has 0 bytes", () => new InferenceRequest("digits").Add("pixels", ElementType.Float32, [1, 64], default)),
        Wrong("rows over the limit", "65 rows", () => Engines.Digits(new float[65 * 64])),
        Wrong("bytes over the limit", "more than the 1024", () => new InferenceRequest("identity").Add<float>("x", [65, 4], new float[260])),
        Wrong("rows that would broadcast", "'batch' differs", () => new InferenceRequest("add").Add<float>("a", [2, 3], new float[6]).Add<float>("b", [1, 3], new float[3])),
        Wrong("NaN", "NaN or an infinity", () => new InferenceRequest("identity").Add<float>("x", [1, 4], new[] { 1, 2, 3, float.NaN })),
        Wrong("infinity", "NaN or an infinity", () => new InferenceRequest("identity").Add<float>("x", [1, 4], new[] { float.NegativeInfinity, 2, 3, 4 })),
        Wrong("bool that is neither", "neither 0 nor 1", Bools),
    ];

    private static BadInput Wrong(string name, string says, Func<InferenceRequest> make) => new(name, InferenceFailureKind.InvalidInput, says, make);

    private static InferenceRequest Bools()
    {
        var request = new InferenceRequest("multi");
        foreach (var (name, type) in new[] { ("f32", ElementType.Float32), ("f64", ElementType.Float64), ("i32", ElementType.Int32), ("i64", ElementType.Int64), ("u8", ElementType.UInt8), ("bool", ElementType.Bool) })
        {
            var bytes = new byte[2 * ElementTypes.SizeOf(type)];
            if (type == ElementType.Bool) bytes[1] = 0xff;
            request.Add(name, type, [1, 2], bytes);
        }

        return request;
    }
}
