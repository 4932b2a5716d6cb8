using System.Text.Json;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>The error body of OpenAI's API: <c>{"error":{"message","type","param","code"}}</c>, for every answer under its paths.</summary>
internal static class OpenAiError
{
    /// <summary>Whether a path belongs to that API, so that whoever refuses there, gate or endpoint, refuses in its form.</summary>
    public static bool Covers(PathString path) =>
        path.StartsWithSegments("/v1/models") || path.StartsWithSegments("/v1/chat") || path.StartsWithSegments("/v1/completions") || path.StartsWithSegments("/v1/embeddings");

    public static Task Write(HttpContext context, int status, string message, string? param = null, string? code = null) =>
        Answers.Json(context, status, json =>
        {
            json.WriteStartObject();
            WriteProperty(json, status, message, param, code);
            json.WriteEndObject();
        });

    /// <summary>The property alone, for a stream that ends with it.</summary>
    public static void WriteProperty(Utf8JsonWriter json, int status, string message, string? param, string? code)
    {
        json.WriteStartObject("error");
        json.WriteString("message", message);
        json.WriteString("type", TypeOf(status));
        json.WriteString("param", param);
        json.WriteString("code", code ?? CodeOf(status));
        json.WriteEndObject();
    }

    private static string TypeOf(int status) => status switch
    {
        StatusCodes.Status403Forbidden => "permission_error",
        StatusCodes.Status429TooManyRequests => "rate_limit_error",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };

    private static string? CodeOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "invalid_api_key",
        StatusCodes.Status413PayloadTooLarge => "request_too_large",
        StatusCodes.Status429TooManyRequests => "rate_limit_exceeded",
        _ => null,
    };
}

/// <summary>What a request of that API is refused with: the message names what was wrong and goes to the caller as it is.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="message">A sentence.</param>
/// <param name="param">Path of the field, for example <c>messages[0].content</c>.</param>
/// <param name="code">A word that programs may compare.</param>
internal sealed class OpenAiException(int status, string message, string? param = null, string? code = null) : Exception(message)
{
    public int Status { get; } = status;

    public string? Param { get; } = param;

    public string? Code { get; } = code;

    /// <summary>How long to wait before another try; null where none would help.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public static OpenAiException Invalid(string param, string problem) => new(StatusCodes.Status400BadRequest, $"'{param}' {problem}", param, "invalid_value");

    public static OpenAiException WrongType(string param, string expected) => new(StatusCodes.Status400BadRequest, $"'{param}' is not {expected}", param, "invalid_type");

    public static OpenAiException Missing(string param) => new(StatusCodes.Status400BadRequest, $"'{param}' is needed", param, "missing_required_parameter");

    public static OpenAiException Unsupported(string param, string instead) => new(StatusCodes.Status400BadRequest, $"'{param}' is not supported{instead}", param, "unsupported_parameter");
}
