using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>
/// Executes receipts' rows again in one opened model, from receipt and input alone. Says <see cref="ReplayOutcome.Reproduced"/>
/// only on equal bits. Used by one thread at a time; dispose it before the model, which it does not own.
/// </summary>
public sealed class RowReplayer : IDisposable
{
    private readonly Hash256 _identity;
    private readonly IBackendModel _model;
    private readonly RowExecution _execution;

    /// <param name="identity">Of the file that the model was opened from (docs/formats.md, "Model identity").</param>
    /// <param name="model">Opened as the statement's fingerprint says, as far as this machine can.</param>
    public RowReplayer(Hash256 identity, IBackendModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _identity = identity;
        _model = model;
        _execution = new RowExecution(model);
    }

    /// <summary>Executes one receipt's row again.</summary>
    /// <param name="inputs">The request's tensors, by name, in any order.</param>
    /// <param name="answer">The answer as it was saved, to say which element differs; null when only the receipt is left.</param>
    /// <param name="tolerance">For an answer whose bits cannot be had here; null for <see cref="ReplayTolerance.Default"/>.</param>
    public ReplayResult Replay(Receipt receipt, IReadOnlyList<NamedTensor> inputs, KnownAnswer? answer = null, double? tolerance = null)
    {
        ArgumentNullException.ThrowIfNull(receipt);
        ArgumentNullException.ThrowIfNull(inputs);
        if (ReceiptContent.Read(receipt, out var failures) is not { } content) return ReplayVerdict.Invalid(failures);
        var verdict = new ReplayVerdict(content, FingerprintDifference.Between(content.Statement.Context.Runtime, _model.Fingerprint)) { Here = _model.Fingerprint };
        if (content.Statement.Context.ModelIdentity != _identity) return verdict.WrongModel(_identity);
        if (DigestOf(inputs, out var malformed) is var digest && digest != content.Leaf.Request) return verdict.WrongInput(digest, malformed);
        if (content.Leaf.Parameters != TensorSetDigest.NoParameters) return verdict.Refused(UnreplayableReason.UnknownParameters, $"the request had parameters (digest {content.Leaf.Parameters}), and this build knows none");
        if (Ordered(inputs) is not { } ordered) return verdict.Refused(UnreplayableReason.InputDoesNotFit, $"the model takes {string.Join(", ", _model.Inputs)}");
        return Execute(content, ordered, answer, tolerance, verdict);
    }

    /// <summary>Asks a running call to stop. Safe from any thread; holds until <see cref="ClearTermination"/>.</summary>
    public void Terminate() => _execution.Terminate();

    /// <summary>Takes a termination back before the next call.</summary>
    public void ClearTermination() => _execution.ClearTermination();

    public void Dispose() => _execution.Dispose();

    private ReplayResult Execute(ReceiptContent content, IReadOnlyList<NamedTensor> inputs, KnownAnswer? answer, double? tolerance, ReplayVerdict verdict)
    {
        var shape = ReplayPlan.Of(content, _execution.HasRows);
        if (ReplayPlan.IsTooLarge(shape, inputs)) return verdict.Refused(UnreplayableReason.TooLarge, $"a batch of {shape.BatchRows} rows is more than this build executes");
        if (Run(inputs, shape, out var outputs) is { } refused) return verdict.Refused(refused.Reason, refused.Detail);

        var executed = NamedTensor.DigestOf(outputs);
        bool? inPlace = null;
        if (executed != content.Leaf.Output && content.Statement.Context.Determinism == DeterminismClass.A && ReplayPlan.InPlace(content) is var there && there != shape
            && !ReplayPlan.IsTooLarge(there, inputs) && Run(inputs, there, out var others) is null)
            inPlace = NamedTensor.DigestOf(others) == content.Leaf.Output;
        return verdict.Executed(shape, outputs, executed, inPlace, answer, tolerance);
    }

    /// <summary>Null with the outputs, or why there are none.</summary>
    private (UnreplayableReason Reason, string Detail)? Run(IReadOnlyList<NamedTensor> inputs, ReplayShape shape, out NamedTensor[] outputs)
    {
        outputs = [];
        RowTensor[] tensors = [.. inputs.Select(input => new RowTensor(input.Shape, input.Data))];
        try
        {
            var fault = _execution.Execute(tensors, shape.Rows, shape.BatchRows, shape.FirstSlot, Neighbours.Zero);
            // Zeros can be what a model refuses; rows it has accepted are not.
            if (fault is not null) fault = _execution.Execute(tensors, shape.Rows, shape.BatchRows, shape.FirstSlot, Neighbours.Copies);
            if (fault is not null) return (UnreplayableReason.BackendFailed, $"the backend could not execute the row ({fault.Code}): {fault.Detail}");
        }
        catch (ArgumentException misfit)
        {
            return (UnreplayableReason.InputDoesNotFit, misfit.Message);
        }

        outputs = new NamedTensor[_model.Outputs.Count];
        for (var i = 0; i < outputs.Length; i++)
            outputs[i] = new NamedTensor(_model.Outputs[i].Name, _model.Outputs[i].Type, _execution.OutputShape(i).ToArray(), _execution.OutputBytes(i).ToArray());
        return null;
    }

    /// <summary>The inputs in the model's order; null when names or types are others.</summary>
    private NamedTensor[]? Ordered(IReadOnlyList<NamedTensor> inputs)
    {
        if (inputs.Count != _model.Inputs.Count) return null;
        var ordered = new NamedTensor[inputs.Count];
        for (var i = 0; i < ordered.Length; i++)
        {
            TensorSpec spec = _model.Inputs[i];
            if (inputs.FirstOrDefault(input => input.Name == spec.Name && input.Type == spec.Type) is not { } found) return null;
            ordered[i] = found;
        }

        return ordered;
    }

    private static Hash256 DigestOf(IReadOnlyList<NamedTensor> inputs, out string? malformed)
    {
        malformed = null;
        try
        {
            return NamedTensor.DigestOf(inputs);
        }
        catch (ArgumentException error)
        {
            malformed = error.Message;
            return Hash256.Zero;
        }
    }
}
