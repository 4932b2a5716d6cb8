using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.LanguageModels.OnnxRuntime;

/// <summary>
/// One call of the model at a time: several tokens of one sequence, or one token each of sequences in neighbouring slots. Knows
/// slots and positions, checks neither. Used by one thread at a time.
/// </summary>
internal sealed unsafe class GenAiDecoder : IDisposable
{
    private readonly GenAiConfig _config;
    private readonly GenAiSignature _signature;
    private readonly OrtSession _session;
    private readonly OrtCall _call;
    private readonly OrtCall? _hiddenCall;
    private readonly NativeBuffer _ids = new(), _mask = new(), _positions = new(), _logits = new(), _hidden = new();
    private readonly ElementType _idType, _maskType, _positionType;
    private (int First, int Rows) _bound = (-1, -1);

    public GenAiDecoder(GenAiConfig config, GenAiSignature signature, OrtSession session, KeyValueCache cache)
    {
        (_config, _signature, _session, Cache) = (config, signature, session, cache);
        int[] outputs = [signature.Logits, .. signature.PresentKeys, .. signature.PresentValues];
        _call = session.NewCall(outputs);
        if (signature.HiddenStates >= 0) _hiddenCall = session.NewCall([.. outputs, signature.HiddenStates]);
        _idType = session.Inputs[signature.InputIds].Type;
        _maskType = session.Inputs[signature.AttentionMask].Type;
        _positionType = signature.PositionIds < 0 ? ElementType.None : session.Inputs[signature.PositionIds].Type;
    }

    public KeyValueCache Cache { get; }

    public bool HasHiddenStates => _hiddenCall is not null;

    /// <summary>Appends tokens to the sequence in a slot. The logits are then those of its tokens in order, or of the last alone.</summary>
    /// <param name="start">Positions that the slot holds already.</param>
    /// <returns>Rows of logits.</returns>
    public int Append(int slot, ReadOnlySpan<int> tokens, int start, bool withHidden)
    {
        Write(_ids, _idType, tokens);
        var total = start + tokens.Length;
        Reserve(_mask, _maskType, total);
        Ones(_mask, _maskType, 0, total);
        if (_positionType != ElementType.None)
        {
            Reserve(_positions, _positionType, tokens.Length);
            for (var i = 0; i < tokens.Length; i++) Put(_positions, _positionType, i, start + i);
        }

        return Run(slot, 1, tokens.Length, total, withHidden);
    }

    /// <summary>Appends one token each to the sequences in slots from <paramref name="first"/> on; a row of logits each.</summary>
    /// <param name="starts">Positions that each slot holds already.</param>
    public void Decode(int first, ReadOnlySpan<int> tokens, ReadOnlySpan<int> starts)
    {
        Write(_ids, _idType, tokens);
        var total = 0;
        foreach (var start in starts) total = Math.Max(total, start + 1);
        Reserve(_mask, _maskType, (long)tokens.Length * total);
        new Span<byte>(_mask.Pointer, checked(tokens.Length * total * ElementTypes.SizeOf(_maskType))).Clear();
        for (var row = 0; row < tokens.Length; row++) Ones(_mask, _maskType, (long)row * total, starts[row] + 1);
        if (_positionType != ElementType.None) Write(_positions, _positionType, starts);
        Run(first, tokens.Length, 1, total, withHidden: false);
    }

    public void CopyLogits(int row, Span<float> target) => Copy(_logits, _signature.LogitsType, row, target[.._config.VocabularySize]);

    public void CopyHidden(int row, Span<float> target) => Copy(_hidden, _signature.HiddenType, row, target[.._config.HiddenSize]);

    public void Dispose()
    {
        _call.Dispose();
        _hiddenCall?.Dispose();
        _session.Dispose();
        Cache.Dispose();
        foreach (var buffer in (NativeBuffer[])[_ids, _mask, _positions, _logits, _hidden]) buffer.Dispose();
    }

    private int Run(int first, int rows, int length, int total, bool withHidden)
    {
        var call = withHidden ? _hiddenCall! : _call;
        var given = _signature.IsLastOnly ? 1 : length;
        Reserve(_logits, _signature.LogitsType, (long)rows * given * _config.VocabularySize);
        BindCache(first, rows);
        call.SetInput(_signature.InputIds, _ids.Pointer, [rows, length]);
        call.SetInput(_signature.AttentionMask, _mask.Pointer, [rows, total]);
        if (_positionType != ElementType.None) call.SetInput(_signature.PositionIds, _positions.Pointer, [rows, length]);
        call.SetOutput(0, _logits.Pointer, [rows, given, _config.VocabularySize]);
        if (withHidden)
        {
            Reserve(_hidden, _signature.HiddenType, (long)rows * length * _config.HiddenSize);
            call.SetOutput(1 + (2 * _config.Layers), _hidden.Pointer, [rows, length, _config.HiddenSize]);
        }

        call.Run();
        return rows * given;
    }

    private void BindCache(int first, int rows)
    {
        if (_bound == (first, rows)) return;
        _bound = (-1, -1);
        ReadOnlySpan<long> shape = [rows, _config.KeyValueHeads, Cache.Capacity, _config.HeadSize];
        foreach (var call in (OrtCall?[])[_call, _hiddenCall])
        {
            if (call is null) continue;
            for (var layer = 0; layer < _config.Layers; layer++)
            {
                call.SetInput(_signature.PastKeys[layer], Cache.Keys(layer, first), shape);
                call.SetInput(_signature.PastValues[layer], Cache.Values(layer, first), shape);
                call.SetOutput(1 + layer, Cache.Keys(layer, first), shape);
                call.SetOutput(1 + _config.Layers + layer, Cache.Values(layer, first), shape);
            }
        }

        _bound = (first, rows);
    }

    private static void Reserve(NativeBuffer buffer, ElementType type, long elements)
    {
        var bytes = checked(elements * ElementTypes.SizeOf(type));
        // By doubling: masks grow by one position per step.
        if (bytes > buffer.Capacity) buffer.Reserve(Math.Max(bytes, Math.Min(2 * buffer.Capacity, bytes + (1 << 20))));
    }

    private static void Write(NativeBuffer buffer, ElementType type, ReadOnlySpan<int> numbers)
    {
        Reserve(buffer, type, numbers.Length);
        for (var i = 0; i < numbers.Length; i++) Put(buffer, type, i, numbers[i]);
    }

    private static void Ones(NativeBuffer buffer, ElementType type, long from, int count)
    {
        if (type == ElementType.Int64) new Span<long>((long*)buffer.Pointer + from, count).Fill(1);
        else new Span<int>((int*)buffer.Pointer + from, count).Fill(1);
    }

    private static void Put(NativeBuffer buffer, ElementType type, int index, int number)
    {
        if (type == ElementType.Int64) ((long*)buffer.Pointer)[index] = number;
        else ((int*)buffer.Pointer)[index] = number;
    }

    private static void Copy(NativeBuffer rows, ElementType type, int row, Span<float> target)
    {
        var from = (long)row * target.Length;
        if (type == ElementType.Float32)
        {
            new ReadOnlySpan<float>((float*)rows.Pointer + from, target.Length).CopyTo(target);
            return;
        }

        var halves = new ReadOnlySpan<Half>((Half*)rows.Pointer + from, target.Length);
        for (var i = 0; i < halves.Length; i++) target[i] = (float)halves[i];
    }
}
