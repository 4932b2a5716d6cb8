using System.CommandLine;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Hosting.Attesting;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og init --development</c>: a data folder, keys and a contract for a development chain.</summary>
internal static class InitCommand
{
    public static Command Create()
    {
        var development = new Option<bool>("--development") { Description = "For a development chain (anvil); the only kind that init sets up", Required = true };
        var data = new Option<string>("--data") { Description = "Data folder", DefaultValueFactory = _ => "data" };
        var rpc = CommonOptions.Address("--rpc", "Address of the development chain", "http://127.0.0.1:8545");
        var models = new Option<string>("--models") { Description = "Folder whose subfolders with a model.json are served", DefaultValueFactory = _ => "models" };
        var artifact = new Option<string>("--contract-artifact") { Description = "Compiled contract", DefaultValueFactory = _ => "contracts/SettlementLedger.json" };
        var contract = new Option<string?>("--contract") { Description = "Address of a contract that other engines on this chain use: joins them instead of deploying one (docs/scale-out.md)" };
        var attester = new Option<string?>("--attester") { Description = "Who vouches for the epochs: software, or tpm with a policy that names the TPM as it is now; software in a new folder, what it was before in an old one" };
        var tpm = new Option<string?>("--tpm") { Description = "A TPM that is not /dev/tpmrm0: a device's path or a TCTI's name, such as that of a software TPM" };
        var collateral = new Option<string?>("--collateral") { Description = "Folder with the certificates behind the TPM's endorsement key (tpm-ek-issuers.pem); its root is trusted" };
        var command = new Command("init", "Make keys, deploy the contract and write configuration and trust file for a development chain; safe to repeat") { development, data, rpc, models, artifact, contract, attester, tpm, collateral };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (!parsed.GetValue(development)) throw new ConfigurationException(["og init sets up development chains only: say --development"]);
            var folder = parsed.GetValue(models)!;
            if (!Directory.Exists(folder)) throw new ConfigurationException([$"models folder '{folder}' does not exist"]);
            var url = parsed.GetValue(rpc)!;
            using var http = new HttpClient();
            var setup = new DevelopmentSetup(
                new DataFolder(Path.GetFullPath(parsed.GetValue(data)!)), new RpcClient(http, RpcOptions.AskedOnce(url)), TimeProvider.System, Console.WriteLine);
            var served = Directory.GetDirectories(folder).Where(model => File.Exists(Path.Combine(model, "model.json"))).Order(StringComparer.Ordinal).ToArray();
            EvmAddress? joined = parsed.GetValue(contract) is not { } given ? null
                : EvmAddress.TryParse(given, out var address) ? address : throw new ConfigurationException([$"--contract: '{given}' is not an address"]);
            await setup.Run(url.ToString(), parsed.GetValue(artifact)!, served, joined, cancellation, DevelopmentAttester.Of(parsed.GetValue(attester), parsed.GetValue(tpm), parsed.GetValue(collateral)));
            return ExitCodes.Ok;
        });
        return command;
    }
}
