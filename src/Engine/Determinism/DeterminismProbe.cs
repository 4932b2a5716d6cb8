using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Determinism;

/// <summary>
/// Finds a model's determinism class by its bits: rows executed in batches of many sizes against the same rows alone, under
/// padding rules from the cheapest up (class A); failing that, the same size and slot with other neighbours (class B).
/// Everything random comes from fixed seeds, so that the same model in the same time is asked the same.
/// </summary>
internal sealed class DeterminismProbe : IDisposable
{
    // Of the budget, for class A; what is left decides between B and C.
    private const double ShareOfA = 0.75;

    // Sizes of open inner dimensions, in order of trial; models may take only some (multiples, a minimum, a picture's side).
    private static readonly int[] InnerSizes = [8, 16, 5, 32, 1, 64, 224];
    private const int MostInnerShapes = 3;

    private readonly IBackendModel _model;
    private readonly ModelOptions _options;
    private readonly PaddingRule _asked;
    private readonly RowExecution _execution;
    private readonly ProbeClock _clock;
    private readonly ProbeTrial _trial;

    public DeterminismProbe(IBackendModel model, ModelOptions options, TimeProvider time)
    {
        _model = model;
        _options = options;
        _asked = new PaddingRule(options.MinimumRows, options.PaddingMultiple);
        _execution = new RowExecution(model);
        _clock = new ProbeClock(time, _execution, options.ProbeBudget, options.ExecutionTimeout);
        _trial = new ProbeTrial(model, _execution, _clock);
    }

    public ProbeReport Run()
    {
        if (_options.ProbeBudget == TimeSpan.Zero) return None("probing is switched off");
        var sets = AcceptedRows(out var refusal);
        if (sets.Count == 0)
            return None(_clock.IsStopped ? $"a call takes longer than the probe's budget of {_options.ProbeBudget.TotalMilliseconds:0} ms or the model's limit" : $"the model refuses random inputs ({refusal?.Code})");
        if (!sets.All(_trial.Repeats)) return None("the same call twice gives different bits", sets.Count);
        if (!_execution.HasRows) return Found(DeterminismClass.A, PaddingRule.None, sets.Count);

        foreach (var rule in ProbePlan.Rules(_asked, ProbePlan.ThreadsOf(_model.Fingerprint), _options.MaxBatch))
        {
            switch (_trial.AgreesAlone(sets, rule, ProbePlan.LargestBatch(rule, _options.MaxBatch), ShareOfA))
            {
                case ProbeVerdict.Holds: return Found(DeterminismClass.A, rule, sets.Count);
                case ProbeVerdict.NotSliced: return Found(DeterminismClass.B, _asked, sets.Count);
                case ProbeVerdict.NotRepeatable: return None("the same batch twice gives different bits", sets.Count);
                case ProbeVerdict.OutOfTime: return None(TooLittle(), sets.Count);
            }
        }

        return _trial.AgreesAmong(sets, _asked, ProbePlan.LargestBatch(_asked, _options.MaxBatch)) switch
        {
            ProbeVerdict.Holds => Found(DeterminismClass.B, _asked, sets.Count),
            ProbeVerdict.Fails => Found(DeterminismClass.C, _asked, sets.Count),
            ProbeVerdict.NotRepeatable => None("the same batch twice gives different bits", sets.Count),
            _ => None(TooLittle(), sets.Count),
        };
    }

    public void Dispose()
    {
        _clock.Dispose();
        _execution.Dispose();
    }

    private List<ProbeRows> AcceptedRows(out BackendFault? refusal)
    {
        refusal = null;
        var sets = new List<ProbeRows>();
        var shape = new ModelShape(_model.Inputs, _model.Outputs);
        var isFixed = shape.HasRows ? shape.HasStaticRows : _model.Inputs.All(spec => !spec.Dimensions.Contains(-1));
        foreach (var size in isFixed ? InnerSizes[..1] : InnerSizes)
        {
            if (ProbeRows.TryMake(_model.Inputs, shape.HasRows, _execution, _clock, size, out var fault) is { } rows) sets.Add(rows);
            else refusal ??= fault;
            if (sets.Count == MostInnerShapes || _clock.IsStopped) break;
        }

        return sets;
    }

    private string TooLittle() => $"{_trial.Comparisons} comparisons are too few: the budget of {_options.ProbeBudget.TotalMilliseconds:0} ms was over, or the model refuses batches";

    private ProbeReport None(string reason, int shapes = 0) => Found(DeterminismClass.U, _asked, shapes) with { Reason = reason };

    private ProbeReport Found(DeterminismClass found, PaddingRule rule, int shapes) => new()
    {
        Class = found,
        Rule = rule,
        Comparisons = _trial.Comparisons,
        LargestBatch = _trial.LargestBatch,
        InnerShapes = shapes,
        Mismatch = _trial.Mismatch,
        Time = _clock.Elapsed,
    };
}
