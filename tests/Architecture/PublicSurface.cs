using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace OpenGradient.Engine.Architecture.Tests;

/// <summary>Renders what an assembly offers to others: one sorted line per type and member.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string[] Of(Assembly assembly) =>
        [.. assembly.GetExportedTypes().SelectMany(Lines).Distinct().Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Lines(Type type)
    {
        var name = TypeText.Of(type);
        yield return $"{name}: {TypeHead(type)}";
        if (typeof(MulticastDelegate).IsAssignableFrom(type)) yield break;
        foreach (var member in type.GetMembers(Declared))
            if (Line(member) is { } line) yield return $"{name}.{line}";
    }

    private static string TypeHead(Type type)
    {
        if (type.IsEnum) return $"enum {TypeText.Of(type.GetEnumUnderlyingType())}";
        if (typeof(MulticastDelegate).IsAssignableFrom(type))
        {
            var invoke = type.GetMethod("Invoke")!;
            return $"delegate {TypeText.Of(invoke.ReturnParameter)}({Parameters(invoke)})";
        }

        var kind = type switch
        {
            { IsInterface: true } => "interface",
            { IsValueType: true, IsByRefLike: true } => "ref struct",
            { IsValueType: true } => type.IsDefined(typeof(IsReadOnlyAttribute), false) ? "readonly struct" : "struct",
            { IsAbstract: true, IsSealed: true } => "static class",
            { IsAbstract: true } => "abstract class",
            { IsSealed: true } => "sealed class",
            _ => "class",
        };
        var parents = type.GetInterfaces().Where(each => each.IsVisible).Select(TypeText.Of).Order(StringComparer.Ordinal).ToList();
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType)) parents.Insert(0, TypeText.Of(parent));
        return parents.Count == 0 ? kind : $"{kind} : {string.Join(", ", parents)}";
    }

    private static string? Line(MemberInfo member) => member switch
    {
        FieldInfo field => Visible(field.Attributes & FieldAttributes.FieldAccessMask) && !field.IsSpecialName ? FieldLine(field) : null,
        PropertyInfo property => PropertyLine(property),
        EventInfo @event => Visible(@event.AddMethod) ? $"{@event.Name}: event {TypeText.Of(@event.EventHandlerType!)}" : null,
        ConstructorInfo constructor => Visible(constructor) && !Synthesized(constructor) && !constructor.IsStatic ? $"new({Parameters(constructor)})" : null,
        MethodInfo method => Visible(method) && !Synthesized(method) && !IsAccessor(method) ? MethodLine(method) : null,
        _ => null,
    };

    private static string FieldLine(FieldInfo field) => field switch
    {
        { IsLiteral: true } => $"{field.Name}: {(field.DeclaringType!.IsEnum ? "" : "const " + TypeText.Of(field) + " ")}= {Literal(field.GetRawConstantValue())}",
        _ => $"{field.Name}: {(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}field {TypeText.Of(field)}",
    };

    private static string? PropertyLine(PropertyInfo property)
    {
        var accessors = new List<string>();
        if (Visible(property.GetMethod)) accessors.Add("get;");
        if (Visible(property.SetMethod))
            accessors.Add(property.SetMethod!.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? "init;" : "set;");
        if (accessors.Count == 0 || Synthesized(property)) return null;
        var prefix = (property.GetMethod ?? property.SetMethod)!.IsStatic ? "static " : "";
        if (property.IsDefined(typeof(RequiredMemberAttribute), false)) prefix += "required ";
        var index = property.GetIndexParameters() is { Length: > 0 } ? $"[{string.Join(", ", property.GetIndexParameters().Select(Parameter))}]" : "";
        return $"{property.Name}{index}: {prefix}{TypeText.Of(property)} {{ {string.Join(' ', accessors)} }}";
    }

    private static string MethodLine(MethodInfo method)
    {
        var generic = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(each => each.Name))}>" : "";
        return $"{method.Name}{generic}({Parameters(method)}): {(method.IsStatic ? "static " : "")}{TypeText.Of(method.ReturnParameter)}";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        var text = $"{TypeText.Of(parameter)} {parameter.Name}";
        if (parameter.IsDefined(typeof(ExtensionAttribute), false)) text = "this " + text;
        return parameter.HasDefaultValue ? $"{text} = {Literal(parameter.RawDefaultValue)}" : text;
    }

    private static string Literal(object? value) => value switch
    {
        null => "default",
        string text => $"\"{text}\"",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static bool IsAccessor(MethodInfo method) => method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal);

    // What the compiler writes for records is implied by the type's own members.
    private static bool Synthesized(MemberInfo member) => member.IsDefined(typeof(CompilerGeneratedAttribute), false);

    private static bool Visible(MethodBase? method) => method is not null && (method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly);

    private static bool Visible(FieldAttributes access) => access is FieldAttributes.Public or FieldAttributes.Family or FieldAttributes.FamORAssem;
}
