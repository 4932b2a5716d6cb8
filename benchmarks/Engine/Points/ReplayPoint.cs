using OpenGradient.Engine.Benchmarks.Measuring;
using OpenGradient.Engine.Benchmarks.Replay;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Benchmarks.Points;

/// <summary>
/// Receipts taken while many callers ask at once, executed again from what they say (batch size and slot), with other neighbours,
/// in a session of its own. What is compared is the digest that was signed.
/// </summary>
internal sealed class ReplayPoint : IPoint<BenchContext>
{
    // Few and many: batches of every size come about by themselves.
    private static readonly int[] Crowds = [1, 5, 24, 64];
    private const int MostRows = 3;

    public string Name => "replay";

    public async Task RunAsync(BenchContext context)
    {
        long replayed = 0, mismatches = 0;
        foreach (var model in ReplayedModel.All(context.Options))
        {
            var (taken, differing, text) = await RunAsync(context, model);
            replayed += taken;
            mismatches += differing;
            context.Figures.Text("replay, by model", text);
            BenchContext.Note($"replay: {text}");
        }

        context.Figures.Count(new ReceiptCount(replayed - mismatches, mismatches));
        context.Figures.Set("replayed", replayed, 0);
        context.Figures.Set("replay_mismatches", mismatches, 0);
        context.Figures.Row("replay", "receipts executed again with other neighbours", replayed, "");
        context.Figures.Row("replay", "  of which other bits", mismatches, "", 0);
    }

    private static async Task<(long Taken, long Differing, string Text)> RunAsync(BenchContext context, ReplayedModel model)
    {
        var options = new ModelOptions { Name = model.Name, Path = model.Path, MaxBatch = model.MaxBatch };
        if (model.Class is { } stated) options = options with { Determinism = stated };
        else if (context.Options.Quick) options = options with { Determinism = DeterminismClass.B };
        await using var served = await Served.StartAsync(context, options, receipts: true);
        var taken = await TakeAsync(served, model, context.Options.Seed);
        using var replay = (IRowReplay)new DirectReplay(context.Backend, served.Model, context.Options.Seed);
        var statements = new StatementChecker(context.Keys.Signatures, statement => statement.Epoch == context.Keys.Epoch.Epoch.Id ? context.Keys.Epoch.PublicKey : default);
        var sizes = new SortedSet<uint>();
        long differing = 0, alone = 0;
        await OwnThread.Run(() =>
        {
            foreach (var one in taken)
            {
                if (!Reproduces(one, replay, statements, sizes, served.Model.Outputs)) differing++;
                if (!IsEqualAlone(one, replay, served.Model.Outputs)) alone++;
            }

            return true;
        });
        return (taken.Count, differing, FormattableString.Invariant(
            $"{model.Name}: class {served.Model.Context.Determinism}, {taken.Count} receipts, batches of {sizes.Min} to {sizes.Max} rows ({sizes.Count} sizes), {differing} differ (executed alone, without batch size and slot, {alone} would)"));
    }

    private static async Task<List<Taken>> TakeAsync(Served served, ReplayedModel model, int seed)
    {
        var taken = new List<Taken>();
        var mostRows = served.Model.IsBatchable ? Math.Min(MostRows, model.MaxBatch) : 1;
        foreach (var crowd in Crowds)
        {
            var each = Math.Max(1, model.Receipts / Crowds.Length / crowd);
            var callers = Enumerable.Range(0, Math.Min(crowd, model.Receipts)).Select(caller => Task.Run(async () =>
            {
                var random = new Random(HashCode.Combine(seed, crowd, caller));
                var mine = new List<Taken>();
                for (var i = 0; i < each; i++)
                {
                    var question = new Question(served.Inputs, random.Next(1, mostRows + 1), random);
                    using var result = await served.Engine.InferAsync(question.Request(served.Model.Name)).ConfigureAwait(false);
                    mine.Add(new Taken(question, result.Batch!.Receipt(result.RowIndex)));
                }

                return mine;
            })).ToArray();
            foreach (var mine in await Task.WhenAll(callers)) taken.AddRange(mine);
        }

        return taken;
    }

    private static bool Reproduces(Taken one, IRowReplay replay, StatementChecker statements, SortedSet<uint> sizes, IReadOnlyList<TensorSpec> outputs)
    {
        if (statements.Check(one.Receipt.Statement) is not { } statement) return false;
        var leaf = RowLeaf.Decode(one.Receipt.Leaf.Span);
        if (leaf.Request != one.Question.Digest || leaf.Rows != one.Question.Rows) return false;
        sizes.Add((uint)statement.BatchRows);
        var bytes = replay.Execute(one.Question.Data, (int)leaf.Rows, (int)statement.BatchRows, (int)leaf.FirstSlot, neighbours: (int)statement.Sequence);
        return Models.RowSet.DigestOf(outputs, bytes, (int)leaf.Rows) == leaf.Output;
    }

    /// <summary>The control: the same comparison without what the receipt says about the batch. It fails for models that need it, so the one above can.</summary>
    private static bool IsEqualAlone(Taken one, IRowReplay replay, IReadOnlyList<TensorSpec> outputs)
    {
        var leaf = RowLeaf.Decode(one.Receipt.Leaf.Span);
        return Models.RowSet.DigestOf(outputs, replay.Execute(one.Question.Data, leaf.Rows, leaf.Rows, 0, 0), leaf.Rows) == leaf.Output;
    }

    private sealed record Taken(Question Question, Receipt Receipt);
}
