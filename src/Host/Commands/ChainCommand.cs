using System.CommandLine;
using System.Text;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Custody;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og chain</c>: the contract administered by hand, and keys convicted. Needs the group <c>chain</c> of a configuration.</summary>
internal static class ChainCommand
{
    private static readonly Option<string?> Config = CommonOptions.Config();
    private static readonly Option<string[]> Set = CommonOptions.Set();
    private static readonly Option<string?> KeyFile = new("--key-file") { Description = "Web3 keystore of the account that sends, instead of the configuration's" };
    private static readonly Option<string?> PasswordFile = new("--key-password-file") { Description = "File with that keystore's password" };
    private static readonly Option<ulong> FromBlock = new("--from-block") { Description = "Where to begin looking for logs: the block of the contract's deployment", DefaultValueFactory = _ => 0 };
    private static readonly Option<string[]> Logs = new("--log") { Description = "A log's identity; may be repeated. Without it, every log of the contract", DefaultValueFactory = _ => [] };

    public static Command Create() => new("chain", "Administer the ledger contract, and convict keys that equivocate")
    {
        new Command("admin", "What the contract's owner and registrar do")
        {
            Show(),
            Sends("pause", "Stop registering keys, of every log (owner)", [], _ => AdministrationAbi.SetPaused(true)),
            Sends("unpause", "Allow registering again (owner)", [], _ => AdministrationAbi.SetPaused(false)),
            Halts("halt", "Stop anchoring (owner)", true),
            Halts("resume", "Let anchoring go on (owner)", false),
            WithAddress("registrar", "Name another registrar (owner)", AdministrationAbi.SetRegistrar),
            WithAddress("offer", "Offer ownership to an account, which takes it with accept; the zero address withdraws (owner)", AdministrationAbi.TransferOwnership),
            Sends("accept", "Take the ownership that was offered", [], _ => AdministrationAbi.AcceptOwnership()),
            Revoke(),
        },
        Convict(),
    };

    private static Command Show()
    {
        var command = new Command("show", "Print owner, registrar, and every log and whether it is halted") { Config, Set, FromBlock };
        command.SetAction((parsed, cancellation) => Guarded(async () =>
        {
            using var http = new HttpClient();
            var read = await Administrator(Chain(parsed), http).ReadAsync(parsed.GetValue(FromBlock), cancellation);
            Console.WriteLine($"owner      {read.Owner}");
            if (!read.PendingOwner.IsZero) Console.WriteLine($"offered to {read.PendingOwner}");
            Console.WriteLine($"registrar  {read.Registrar}");
            Console.WriteLine($"paused     {(read.Paused ? "yes: no key is registered" : "no")}");
            foreach (var (logId, halted) in read.Logs) Console.WriteLine($"log        {logId}{(halted ? "  halted" : "")}");
        }));
        return command;
    }

    private static Command Halts(string name, string description, bool halt)
    {
        var command = Sends(name, description, [Logs, FromBlock], null);
        command.SetAction((parsed, cancellation) => Send(parsed, async administrator =>
        {
            var named = parsed.GetValue(Logs)!.Select(text => Hash256.TryParse(text, out var logId) ? logId : throw new FormatException($"'{text}' is not a log's identity: 64 hexadecimal digits")).ToArray();
            if (named.Length == 0) named = [.. (await administrator.ReadAsync(parsed.GetValue(FromBlock), cancellation)).Logs.Where(log => log.Halted != halt).Select(log => log.LogId)];
            return named.Length == 0 ? throw new FormatException($"no log is to {name}") : AdministrationAbi.SetHalted(named, halt);
        }, cancellation));
        return command;
    }

    private static Command WithAddress(string name, string description, Func<EvmAddress, byte[]> call)
    {
        var account = new Argument<string>("account") { Description = "An address" };
        return Sends(name, description, [account], parsed => call(AddressOf(parsed.GetValue(account)!)));
    }

    private static Command Revoke()
    {
        var log = new Argument<string>("log") { Description = "The log's identity" };
        var key = new Argument<string>("key") { Description = "The key's address" };
        var reason = new Option<string>("--reason") { Description = "Up to 32 bytes of text that the event carries", DefaultValueFactory = _ => "" };
        return Sends("revoke", "End a key for good; the log waits for a successor (registrar)", [log, key, reason], parsed =>
        {
            var text = Encoding.UTF8.GetBytes(parsed.GetValue(reason)!);
            if (text.Length > Hash256.Size) throw new FormatException($"--reason: at most {Hash256.Size} bytes");
            if (!Hash256.TryParse(parsed.GetValue(log)!, out var logId)) throw new FormatException($"'{parsed.GetValue(log)}' is not a log's identity: 64 hexadecimal digits");
            Array.Resize(ref text, Hash256.Size);
            return LedgerAbi.RevokeKey(logId, AddressOf(parsed.GetValue(key)!), new Hash256(text));
        });
    }

    private static Command Convict()
    {
        var first = new Argument<string>("first") { Description = "A receipt or bundle" };
        var second = new Argument<string>("second") { Description = "Another one of the same log" };
        var command = Sends("convict", "Prove to the contract that a key signed two things for one position; anybody may", [first, second], null);
        command.SetAction((parsed, cancellation) => Send(parsed, _ =>
        {
            var found = Equivocation.Between(ReceiptFiles.Read(parsed.GetValue(first)!), ReceiptFiles.Read(parsed.GetValue(second)!));
            if (found is not { Kind: not EquivocationKind.LogKey })
                throw new FormatException("these two convict nobody: two statements of one epoch with one sequence number are needed, or two checkpoints of one size and epoch with different roots");
            Console.WriteLine(found.Text);
            return Task.FromResult(found.Call.ToArray());
        }, cancellation));
        return command;
    }

    private static Command Sends(string name, string description, Symbol[] own, Func<ParseResult, byte[]>? call)
    {
        var command = new Command(name, description) { Config, Set, KeyFile, PasswordFile };
        foreach (var symbol in own)
        {
            if (symbol is Argument argument) command.Arguments.Add(argument);
            else command.Options.Add((Option)symbol);
        }

        if (call is not null) command.SetAction((parsed, cancellation) => Send(parsed, _ => Task.FromResult(call(parsed)), cancellation));
        return command;
    }

    private static Task<int> Send(ParseResult parsed, Func<LedgerAdministrator, Task<byte[]>> call, CancellationToken cancellation) => Guarded(async () =>
    {
        var chain = Chain(parsed);
        using var http = new HttpClient();
        var administrator = Administrator(chain, http);
        var bytes = await call(administrator);
        var signer = Signer(parsed, chain, http);
        using var key = signer as IDisposable;
        var transaction = await administrator.SendAsync(signer, chain.Id, bytes, (UInt128)(chain.MaxFeePerGasGwei * 1e9), cancellation);
        Console.WriteLine($"done in transaction 0x{transaction}, sent by {signer.Address}");
    });

    private static ITransactionSigner Signer(ParseResult parsed, ChainConfiguration chain, HttpClient http)
    {
        var shim = AttestationShim.Load();
        if (parsed.GetValue(KeyFile) is not { } file) return TransactionSigners.Open(shim, chain, () => http);
        if (parsed.GetValue(PasswordFile) is { } password) return TransactionKey.FromKeystore(shim, file, password);
        return chain.Development ? TransactionKey.FromSecretFile(shim, file) : throw new ConfigurationException(["--key-password-file: a bare key is for development chains"]);
    }

    private static ChainConfiguration Chain(ParseResult parsed) =>
        ConfigurationLoader.Load(parsed.GetValue(Config), Environment.GetEnvironmentVariables(), parsed.GetValue(Set)!).Chain
        ?? throw new ConfigurationException(["chain: the configuration names none (--config)"]);

    private static LedgerAdministrator Administrator(ChainConfiguration chain, HttpClient http) =>
        new(new RpcClient(http, RpcOptions.AskedOnce(new Uri(chain.Rpc))), EvmAddress.Parse(chain.Contract), TimeProvider.System);

    private static EvmAddress AddressOf(string text) => EvmAddress.TryParse(text, out var address) ? address : throw new FormatException($"'{text}' is not an address");

    // What contract, node and signer refuse is an outcome, told in one line.
    private static async Task<int> Guarded(Func<Task> work)
    {
        try
        {
            await work();
            return ExitCodes.Ok;
        }
        catch (Exception refused) when (refused is InvalidOperationException or TransactionSigningException)
        {
            Console.Error.WriteLine($"error: {refused.Message}");
            return ExitCodes.Failed;
        }
    }
}
