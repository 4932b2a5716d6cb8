using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>The test assembly started as a program: serves a model, then looks at its own process.</summary>
internal static class TelemetryProbe
{
    public const string Command = "serve-and-look";

    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is not [Command]) return 2;
        var threads = NativeThreads();
        var sockets = Descriptors().Count(IsSocket);
        await using (var engine = await Engines.CreateWith(Engines.Options("digits")))
        {
            for (var i = 0; i < 50; i++) await Engines.Answer(engine, Engines.Digits(Engines.Pixels(i)));
            await Engines.Failure(engine, new InferenceRequest("digits"));
            Console.WriteLine($"setenv={Marshal.PtrToStringUTF8(GetEnv("ORT_DISABLE_TELEMETRY"))}");
            Console.WriteLine($"threads={NativeThreads() - threads}");
            Console.WriteLine($"sockets={Descriptors().Count(IsSocket) - sockets}");
            Console.WriteLine($"deleted-or-foreign-files={Descriptors().Count(IsForeign)}");
        }

        return 0;
    }

    /// <summary>Threads that are not the runtime's: it names all of its own, and the engine names its workers.</summary>
    private static int NativeThreads() => Directory.GetDirectories("/proc/self/task")
        .Select(task => File.ReadAllText(Path.Combine(task, "comm")))
        .Count(name => !name.StartsWith(".NET", StringComparison.Ordinal) && !name.StartsWith("og ", StringComparison.Ordinal));

    private static IEnumerable<string> Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd")
        .Select(descriptor => new FileInfo(descriptor).LinkTarget)
        .OfType<string>();

    private static bool IsSocket(string target) => target.StartsWith("socket:", StringComparison.Ordinal);

    private static bool IsForeign(string target) =>
        target.EndsWith(".db", StringComparison.Ordinal) || target.Contains(".ses", StringComparison.Ordinal) || target.Contains("mat-debug", StringComparison.Ordinal);

    [DllImport("libc", EntryPoint = "getenv")]
    private static extern nint GetEnv([MarshalAs(UnmanagedType.LPUTF8Str)] string name);
}
