using System.Collections.Concurrent;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>Asks every engine without end, and remembers what was acknowledged as durable.</summary>
internal sealed class FleetLoad : IDisposable
{
    private readonly ServingHost[] _hosts;
    private readonly ConcurrentQueue<Receipt>[] _durable;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public FleetLoad(params ServingHost[] hosts)
    {
        _hosts = hosts;
        _durable = [.. hosts.Select(_ => new ConcurrentQueue<Receipt>())];
        _running = Task.WhenAll(hosts.Select((host, index) => Task.Run(() => Ask(host, _durable[index]))));
    }

    /// <summary>A receipt of each engine that is handed over from now on is final.</summary>
    public async Task UntilFinalOfEach()
    {
        for (var i = 0; i < _hosts.Length; i++)
        {
            var known = _durable[i].Count;
            var receipt = await Eventually.Value($"engine {i} makes a receipt durable", () => Task.FromResult(_durable[i].Skip(known).FirstOrDefault()), () => _hosts[i].Printed);
            await _hosts[i].UntilStage(receipt.Id.ToString(), "final");
        }
    }

    public async Task<IReadOnlyList<IReadOnlyList<Receipt>>> Stop()
    {
        await _stop.CancelAsync();
        await _running;
        return [.. _durable.Select(receipts => receipts.ToList())];
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private async Task Ask(ServingHost host, ConcurrentQueue<Receipt> durable)
    {
        for (var index = 0; !_stop.IsCancellationRequested; index++)
        {
            try
            {
                var answer = await host.Infer("digits", Inputs.Digit(index), "durable", 2_000);
                // A wait that ran out, and a refusal while the database is away, acknowledge nothing.
                if (answer.Code == 200 && answer.Stage is not (null or "executed")) durable.Enqueue(answer.Receipt);
            }
            catch (HttpRequestException)
            {
                return; // the engine was stopped
            }

            await Task.Delay(20);
        }
    }
}
