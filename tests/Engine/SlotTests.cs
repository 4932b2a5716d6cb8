using System.Reflection;
using System.Text.RegularExpressions;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Engine.Tests;

public sealed partial class SlotTests
{
    private static IEnumerable<(string Name, int Slot)> Used =>
        from constant in typeof(OrtSlots).GetFields(BindingFlags.Public | BindingFlags.Static)
        where constant.FieldType == typeof(int)
        select (constant.Name, (int)constant.GetRawConstantValue()!);

    [Fact]
    public void Slots_Used_EqualThePublishedOrder()
    {
        var published = File.ReadLines(TestFiles.Vector("onnxruntime-api-slots.txt"))
            .Select(line => line.Split(' '))
            .ToDictionary(parts => parts[1], parts => int.Parse(parts[0]));
        Assert.True(Used.Count() > 40);
        Assert.All(Used, slot => Assert.Equal(published[slot.Name], slot.Slot));
    }

    [Fact]
    public void Slots_Used_AreCoveredByTheVersionAskedFor()
    {
        // The reference's highest index of version 22.
        Assert.All(Used, slot => Assert.InRange(slot.Slot, 0, 317));
    }

    /// <summary>Checks against a C header where OG_ORT_HEADER names one; the published order otherwise stands for it.</summary>
    [Fact]
    public void Slots_Used_EqualTheHeader()
    {
        var path = Environment.GetEnvironmentVariable("OG_ORT_HEADER");
        if (string.IsNullOrEmpty(path)) path = null;
        var members = path is null ? SampleHeader : File.ReadAllText(path);
        var order = Members(members);
        var expected = path is null ? [("CreateStatus", 0), ("GetErrorCode", 1), ("CreateEnv", 2), ("ReleaseEnv", 3)] : Used;
        Assert.All(expected, slot => Assert.Equal(slot.Item1, order[slot.Item2]));
    }

    private const string SampleHeader = """
        struct OrtApi {
          OrtStatus*(ORT_API_CALL* CreateStatus)(OrtErrorCode code, _In_ const char* msg)NO_EXCEPTION ORT_ALL_ARGS_NONNULL;
          OrtErrorCode(ORT_API_CALL* GetErrorCode)(_In_ const OrtStatus* status) NO_EXCEPTION ORT_ALL_ARGS_NONNULL;
          /// ORT_API2_STATUS(NotThis, in a comment);
          ORT_API2_STATUS(CreateEnv, OrtLoggingLevel log_severity_level, _In_ const char* logid, _Outptr_ OrtEnv** out);
          ORT_CLASS_RELEASE(Env);
        };
        """;

    private static string[] Members(string header)
    {
        var body = header[header.IndexOf("struct OrtApi {", StringComparison.Ordinal)..];
        body = body[..body.IndexOf("\n};", StringComparison.Ordinal)];
        body = Comments().Replace(body, "");
        return [.. Member().Matches(body).Select(match => match.Groups["release"].Success ? "Release" + match.Groups["release"].Value : match.Groups["name"].Value)];
    }

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comments();

    [GeneratedRegex(@"ORT_API2_STATUS\(\s*(?<name>\w+)|ORT_CLASS_RELEASE2?\(\s*(?<release>\w+)|\(\s*ORT_API_CALL\s*\*\s*(?<name>\w+)\s*\)")]
    private static partial Regex Member();
}
