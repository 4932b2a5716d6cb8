using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Templates;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.Hosting.Tests.Chat;

/// <summary>Answers every prompt with the same pieces of text, each with a head when it is to sign.</summary>
internal sealed class ScriptedGenerator(params string[] pieces) : ITextGenerator
{
    private const string ChatMl =
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    public FinishReason Finish { get; init; } = FinishReason.EndOfSequence;

    public GenerationFailure? Refusal { get; init; }

    public GenerationFailure? Failure { get; init; }

    /// <summary>Never ends until it is cancelled.</summary>
    public bool Hangs { get; init; }

    public ReferenceSealer? Sealer { get; init; }

    public GenerationRequest? Request { get; private set; }

    public ScriptedGeneration? Last { get; private set; }

    /// <summary>A model of bytes that speaks ChatML.</summary>
    public static LanguageModelParts Parts { get; } = PartsOf(new FakeRuntime(FakeRuntime.Small with { VocabularySize = 259, ContextLength = 4096, Pages = 2048, MaxStepTokens = 512 }));

    public static LanguageModelParts PartsOf(FakeRuntime runtime, bool hasTemplate = true) => new()
    {
        Name = "scripted",
        Version = "1",
        Runtime = runtime,
        Tokenizer = Tokenizer.Parse(Encoding.UTF8.GetBytes(TinyTokenizer.Json())),
        Template = hasTemplate ? ChatTemplate.Parse(ChatMl) : null,
        EndTokens = [TinyTokenizer.ImEnd],
    };

    public IGeneration? Start(GenerationRequest request, out GenerationFailure? failure)
    {
        Request = request;
        failure = Refusal;
        return Refusal is null ? Last = new ScriptedGeneration(this, pieces) : null;
    }

    /// <summary>The prompt as text, special tokens included.</summary>
    public string Prompt => Parts.Tokenizer.Decode(Request!.Prompt.Span, skipSpecialTokens: false);

    internal sealed class ScriptedGeneration : IGeneration
    {
        private readonly ScriptedGenerator _owner;
        private readonly string[] _pieces;
        private readonly TaskCompletionSource<GenerationResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<GenerationHead> _heads = [];

        public ScriptedGeneration(ScriptedGenerator owner, string[] pieces)
        {
            (_owner, _pieces) = (owner, pieces);
            if (!owner.Hangs && !owner.Request!.IsStreamed) End(owner.Finish);
        }

        public Task<GenerationResult> Completion => _completion.Task;

        public void Cancel() => End(FinishReason.Cancelled);

        public async IAsyncEnumerable<GenerationPart> ReadPartsAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
        {
            try
            {
                for (var i = 0; i < _pieces.Length; i++)
                {
                    await Task.Yield();
                    cancellation.ThrowIfCancellationRequested();
                    yield return new GenerationPart([i], _pieces[i], [], i < _pieces.Length - 1 ? Sign(FinishReason.None) : Sign(_owner.Finish));
                }

                if (_owner.Hangs) await Task.Delay(Timeout.Infinite, cancellation);
                End(_owner.Finish);
            }
            finally
            {
                End(FinishReason.Cancelled);
            }
        }

        private void End(FinishReason finish)
        {
            if (_heads.Count == 0) Sign(finish);
            _completion.TrySetResult(new GenerationResult(
                [], string.Concat(_pieces), finish, [], new GenerationUsage(_owner.Request!.Prompt.Length, 2, _pieces.Length), default!, [.. _heads], 5, null, _owner.Failure));
        }

        private GenerationHead? Sign(FinishReason finish)
        {
            if (_owner.Sealer is null) return null;
            var context = new StatementContext("scripted", "1", default, new RuntimeFingerprint("b", "1", default, "p", "d", "x", ""), DeterminismClass.A, 1);
            var leaf = new RowLeaf(Guid.NewGuid().ToByteArray(), default, default, default, 0, 1);
            var head = new GenerationHead(_owner.Sealer.Seal(context, [leaf], 1), 0, _heads.Count + 1, finish, IsHandedOver: false);
            _heads.Add(head);
            return head;
        }
    }
}
