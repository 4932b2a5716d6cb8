using System.CommandLine;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Client;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.LanguageModels.Kernels;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Settlement.Archive;
using OpenGradient.Engine.Settlement.Backup;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>The command line of <c>og</c>: every failure ends here, as one clear message and an exit code.</summary>
internal static class CommandLine
{
    // Longer than the server's own limit for answering what is under way: cut short, a stop would be a crash.
    private static readonly TimeSpan TerminationTimeout = TimeSpan.FromSeconds(60);

    public static async Task<int> Run(string[] args)
    {
        var root = new RootCommand("og: inference whose every answer can be proven afterwards")
        {
            ServeCommand.Create(),
            InferCommand.Create(),
            ChatCommand.Create(),
            GenerateCommand.Create(),
            AnswerCommand.Create(),
            SubmitCommand.Create(),
            VerifyCommand.Create(),
            AttestCommand.Create(),
            EvidenceCommand.Create(),
            TpmCommand.Create(),
            ReplayCommand.Create(),
            ReceiptCommand.Create(),
            FraudCommand.Create(),
            BundleCommand.Create(),
            WitnessCommand.Create(),
            AuditCommand.Create(),
            DemoCommand.Create(),
            DoctorCommand.Create(),
            InitCommand.Create(),
            ChainCommand.Create(),
            ConfigCommand.Create(),
            BackupCommand.Create(),
            RestoreCommand.Create(),
            RotateCommand.Create(),
            RepairCommand.Create(),
        };
        try
        {
            var parsed = root.Parse(args);
            var code = await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TerminationTimeout });
            return parsed.Errors.Count > 0 ? ExitCodes.Usage : code;
        }
        catch (ConfigurationException e)
        {
            foreach (var error in e.Errors) Console.Error.WriteLine($"error: {error}");
            return ExitCodes.Usage;
        }
        catch (FormatException e)
        {
            return Fail(e.Message, ExitCodes.Usage);
        }
        catch (HostRefusedException e)
        {
            return Fail(e.Message, ExitCodes.Unavailable);
        }
        catch (HttpRequestException e)
        {
            return Fail($"the host cannot be reached: {e.Message}", ExitCodes.Unavailable);
        }
        catch (Exception e) when (e is ModelLoadException or LanguageModelLoadException or KernelLibraryException or OnnxRuntimeException or TorchException or ShimLoadException or AttestationException)
        {
            return Fail(e.Message, ExitCodes.Usage);
        }
        catch (Exception e) when (e is OutboxLockedException or OutboxDamagedException or LogDamagedException or ArchiveDamagedException or LogRepairException or SealingException or InferenceException)
        {
            return Fail(e.Message, ExitCodes.Failed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fail(e.Message, ExitCodes.Failed);
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
    }

    private static int Fail(string message, int code)
    {
        Console.Error.WriteLine($"error: {message}");
        return code;
    }
}
