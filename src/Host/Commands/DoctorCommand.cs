using System.CommandLine;
using System.Runtime.InteropServices;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Hosting.Attesting;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.LanguageModels.Kernels;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og doctor</c>: what answers on this machine, and what does not and why.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var config = CommonOptions.Config();
        var set = CommonOptions.Set();
        var command = new Command("doctor", "Say which libraries answer, what they can do, and what is missing") { config, set };
        command.SetAction(async (parsed, cancellation) =>
        {
            var configuration = ConfigurationLoader.Load(parsed.GetValue(config), Environment.GetEnvironmentVariables(), parsed.GetValue(set)!);
            Print("og", $"{BuildInfo.Version} on .NET {Environment.Version}, {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores");
            var sound = OnnxRuntime(configuration.OnnxRuntime);
            sound &= TorchDoctor.Explain(configuration, Print);
            sound &= Attestation(configuration.Attestation);
            sound &= Kernels(configuration);
            if (configuration.Chain is { } chain) sound &= await Chain(chain, cancellation);
            else Print("chain", "none configured: receipts are signed promises that nobody keeps");
            return sound ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    private static bool OnnxRuntime(OnnxRuntimeConfiguration configured)
    {
        try
        {
            var info = OnnxRuntimeLibrary.Load(configured.Library).Info;
            Print("onnx runtime", $"{info.Version} from {info.Path}");
            Print("  sha-256", Convert.ToHexStringLower(info.Sha256.Span));
            Print("  providers", $"{string.Join(", ", info.Providers)} (compiled in; a device may be missing)");
            Print("  instruction set", info.InstructionSet);
            Print("  telemetry", "switched off before the library was loaded");
            return true;
        }
        catch (OnnxRuntimeException e)
        {
            Print("onnx runtime", $"MISSING: {e.Message}");
            foreach (var place in OnnxRuntimeLocator.Candidates()) Print("  looked in", place);
            return false;
        }
    }

    private static bool Attestation(AttestationConfiguration configured)
    {
        try
        {
            var shim = AttestationShim.Load(configured.Library);
            Print("attestation shim", $"{shim.Version} from {shim.Path}, SHA-256 by {shim.Sha256Provider}");
            Print("  build digest", shim.BuildDigest().ToString());
            foreach (var attester in shim.Attesters()) Print($"  {attester.Name}", $"{(attester.Available ? "available" : "not available")}: {attester.Reason}");
            var (attests, said) = AttesterTrial.Run(configured, shim, TimeProvider.System);
            Print("attester", said);
            return attests;
        }
        catch (ShimLoadException e)
        {
            Print("attestation shim", $"MISSING: {e.Message}");
            return false;
        }
    }

    // Needed where a language model is served, and reported everywhere.
    private static bool Kernels(HostConfiguration configured)
    {
        try
        {
            var library = KernelLibrary.Load(configured.Kernels.Library);
            Print("kernels", $"{library.Version} from {library.Path}");
            Print("  sha-256", library.Digest.ToString());
            Print("  instruction set", $"{library.BestInstructionSet}{(configured.Kernels.InstructionSet is { } asked ? $", configured is {asked}" : "")}");
            foreach (var scheme in Enum.GetValues<WeightScheme>())
                Print($"  {scheme.ToString().ToLowerInvariant()}", $"numerics {library.NumericsClass(scheme, configured.Kernels.InstructionSet)}");
            return true;
        }
        catch (KernelLibraryException e)
        {
            Print("kernels", $"MISSING: {e.Message}");
            return configured.LanguageModels.Count == 0;
        }
    }

    private static async Task<bool> Chain(ChainConfiguration configured, CancellationToken cancellation)
    {
        using var http = new HttpClient();
        var chain = new EvmChain(new RpcClient(http, RpcOptions.AskedOnce(new Uri(configured.Rpc))), EvmAddress.Parse(configured.Contract));
        var seen = await chain.ObserveAsync(default, Hash256.Zero, askFinalized: true, [], cancellation);
        if (!seen.IsOk)
        {
            Print("chain", $"{configured.Rpc}: {seen.Detail}");
            return false;
        }

        Print("chain", $"{configured.Rpc}: id {seen.Value.ChainId}, block {seen.Value.BlockNumber}{(seen.Value.ChainId == configured.Id ? "" : $" — WRONG, configured is {configured.Id}")}");
        Print("  contract", seen.Value.Head is null ? $"MISSING at {configured.Contract}" : configured.Contract);
        Print("  finality", configured.FinalityDepth is { } depth ? $"depth {depth}" : seen.Value.FinalizedNumber is { } block ? $"finalized tag, at block {block}" : "the chain has no finalized tag: set chain.finalityDepth");
        return seen.Value.ChainId == configured.Id && seen.Value.Head is not null;
    }

    private static void Print(string what, string value) => Console.WriteLine($"{what,-18} {value}");
}
