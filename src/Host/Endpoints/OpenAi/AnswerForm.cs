using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Host.Endpoints.OpenAi;

/// <summary>How the choices of one answer are written, whole or in chunks. One per request; used by one thread at a time.</summary>
internal abstract class AnswerForm
{
    /// <summary>Value of <c>object</c> of a whole answer.</summary>
    public abstract string Whole { get; }

    /// <summary>Value of <c>object</c> of a chunk.</summary>
    public abstract string Chunk { get; }

    /// <summary>Begins ids.</summary>
    public abstract string IdPrefix { get; }

    /// <summary>The field that holds the prompt, for errors.</summary>
    public abstract string Prompt { get; }

    /// <summary>Writes the properties of one entry of <c>choices</c>.</summary>
    public abstract void WriteChoice(Utf8JsonWriter json, int choice, GenerationResult result);

    /// <summary>The choices' entries that a stream begins with.</summary>
    public abstract IEnumerable<Action<Utf8JsonWriter>> Begin(int choice);

    /// <summary>Entries for a part; none where it says nothing new.</summary>
    public abstract IEnumerable<Action<Utf8JsonWriter>> Append(int choice, GenerationPart part);

    /// <summary>Entries that end a choice; the last has its finish reason.</summary>
    public abstract IEnumerable<Action<Utf8JsonWriter>> Finish(int choice, GenerationResult result);

    /// <summary>Writes an entry that adds nothing.</summary>
    public abstract void WriteNothing(Utf8JsonWriter json, int choice);

    protected static string FinishText(FinishReason finish, bool hasCalls = false) => finish switch
    {
        FinishReason.Length => "length",
        _ when hasCalls => "tool_calls",
        _ => "stop",
    };
}
